#pragma once

#ifndef EIGEN_USE_THREADS
#define EIGEN_USE_THREADS
#endif
#include <algorithm>
#include <chrono>
#include <cmath>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <longspan/longspan.hpp>

#include "features.hpp"

using longspan::index_t;

// Multiplies the finished logits, whatever made them. A transform that names no stage may stand last, after a bias too.
struct sharpen {
  float factor;
  auto operator()(const longspan::query_row&) const {
    return [factor = factor](auto logit, const auto&) { return logit * factor; };
  }
};

struct measured {
  double bits, entropy, bytes_per_second;
};

// Attention predicts a text. The key at j describes the bytes before j, its value is byte j; the query at i describes the bytes
// up to i: where it finds its like, it finds what came next. Every length predicts the same bytes, each from exactly the n
// bytes before it, so the lengths differ in what is there to be found and in nothing else.
class experiment {
 public:
  // Contexts of m, 4 m, 16 m and 64 m bytes, as far as the text is more than twice as long; targets in blocks of 2 m, evenly
  // spread over all that lies behind the longest context. A block pays once for preparing its keys: twice m makes that cheap.
  experiment(std::string text, index_t trained, index_t targets)
      : text_(std::move(text)), features_(features(text_)), values_(text_), trained_(trained) {
    const auto size = index_t(text_.size());
    for (index_t n = trained; n <= 64 * trained; n *= 4) (size > 2 * n ? lengths_ : skipped_).push_back(n);
    if (lengths_.empty()) return;
    first_ = lengths_.back();
    block_ = std::min(2 * trained, first_);
    blocks_ = std::clamp<index_t>(targets / block_, 1, (size - 1 - first_) / block_);
    step_ = blocks_ > 1 ? (size - 1 - first_ - block_) / (blocks_ - 1) : 0;
    output_.resize(blocks_, 1, block_, values_.width);
    narrow_.resize(blocks_, 1, block_, register_width);
    for (auto* sum : {&log_sum_exp_, &above_, &below_}) sum->resize(blocks_, 1, block_);
  }

  const std::vector<index_t>& lengths() const { return lengths_; }
  const std::vector<index_t>& skipped() const { return skipped_; }
  index_t trained() const { return trained_; }
  index_t targets() const { return blocks_ * block_; }
  index_t distinct() const { return values_.distinct; }

  // A sentence without its mask, run over n bytes of context of which each query sees the last `seen`.
  template <class Sentence>
  measured measure(const Sentence& sentence, index_t n, index_t seen) {
    const double seconds = predict(sentence, n, seen);
    return {bits(), entropy(sentence, n, seen), double(targets()) / seconds};
  }

  // The temperature, in steps of 2^(1/4) from 1/4 to 4, that predicts best from n bytes of context. `family` maps it to a
  // sentence.
  template <class Family>
  double choose(const Family& family, index_t n) {
    double best = 0, fewest = 1e9;
    for (int step = -8; step <= 8; ++step) {
      const double temperature = std::exp2(step / 4.0);
      predict(family(temperature, n), n, n);
      if (const double here = bits(); here < fewest) fewest = here, best = temperature;
    }
    return best;
  }

 private:
  using tensor = Eigen::Tensor<float, 4, Eigen::RowMajor>;
  using row_sums = Eigen::Tensor<float, 3, Eigen::RowMajor>;
  static constexpr index_t register_width = 16;

  // Blocks overlap in memory: a view steps from one to the next, and nothing is copied. The row of features that ends at i is
  // both the query at i and the key at i + 1.
  longspan::view<const float> blocks(const std::vector<float>& rows, index_t width, index_t first, index_t tokens,
                                     index_t used) const {
    return {rows.data() + first * width, {blocks_, 1, tokens, used}, {step_ * width, 0, width, 1}};
  }

  template <class Sentence, class Output>
  void attend(const Sentence& sentence, float factor, index_t n, index_t seen, Output& output, row_sums& log_sum_exp) {
    const index_t keys = n + block_ - 1, used = output.dimension(3);
    longspan::forward_into(device_, sentence | sharpen{factor} | longspan::sliding_window{seen - 1},
                           blocks(features_, channels, first_, block_, channels),
                           blocks(features_, channels, first_ - n, keys, channels),
                           blocks(values_.rows, values_.width, first_ - n + 1, keys, used), output, log_sum_exp);
  }

  template <class Sentence>
  double predict(const Sentence& sentence, index_t n, index_t seen) {
    const auto start = std::chrono::steady_clock::now();
    attend(sentence, 1, n, seen, output_, log_sum_exp_);
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  }

  // Bits per byte of the last prediction, with 1/32 of it spread over all 256 bytes so that no byte is impossible.
  double bits() const {
    constexpr double spread = 1.0 / 32;
    double sum = 0;
    for (index_t b = 0; b < blocks_; ++b)
      for (index_t i = 0; i < block_; ++i) {
        const char next = text_[std::size_t(first_ + b * step_ + i + 1)];
        sum -= std::log2((1 - spread) * double(output_(b, 0, i, values_.of(next))) + spread / 256);
      }
    return sum / double(targets());
  }

  // Mean entropy of the weights, from log-sum-exps alone: with L(x) = log sum_j exp(x z_j), the mean logit is L'(1) and the
  // entropy is L(1) - L'(1). A central difference of 1/64 errs by less than 1e-3 nats on average, and its two passes need next
  // to no values.
  template <class Sentence>
  double entropy(const Sentence& sentence, index_t n, index_t seen) {
    constexpr float step = 1.f / 64;
    attend(sentence, 1 + step, n, seen, narrow_, above_);
    attend(sentence, 1 - step, n, seen, narrow_, below_);
    double sum = 0;
    for (index_t r = 0; r < targets(); ++r)
      sum += double(log_sum_exp_.data()[r]) - (double(above_.data()[r]) - double(below_.data()[r])) / (2 * double(step));
    return sum / double(targets());
  }

  std::string text_;
  std::vector<float> features_;
  one_hot values_;
  index_t trained_, block_ = 0, blocks_ = 0, step_ = 0, first_ = 0;
  std::vector<index_t> lengths_, skipped_;
  tensor output_, narrow_;
  row_sums log_sum_exp_, above_, below_;
  const int threads_ = std::max(1, int(std::thread::hardware_concurrency()));
  Eigen::ThreadPool pool_{threads_};
  Eigen::ThreadPoolDevice device_{&pool_, threads_};
};

#pragma once

#include <cmath>
#include <numeric>
#include <utility>
#include <vector>

#include "feed_forward.hpp"
#include "gated_attention_unit.hpp"
#include "layer.hpp"
#include "self_attention.hpp"

namespace model {

enum class block { transformer, gated_attention_unit };

struct size {
  block kind = block::transformer;
  Index blocks = 4, width = 128, heads = 4, channels = 32;  // channels of a head, of which a gated attention unit has one
};

// Sequences of the same length, and for each of their bytes the one to be predicted and what its loss counts.
struct examples {
  Index length = 0;
  std::vector<unsigned char> bytes = {}, targets = {};
  std::vector<float> counts = {};  // none: each counts one

  // A sequence and the byte that follows it: each byte predicts the next.
  void append(Bytes sequence) {
    bytes.insert(bytes.end(), sequence.begin(), sequence.end() - 1);
    targets.insert(targets.end(), sequence.begin() + 1, sequence.end());
  }
  double total() const {
    return counts.empty() ? double(targets.size()) : double(std::accumulate(counts.begin(), counts.end(), 0.f));
  }
};

// The cross-entropy of rows of logits with their targets, in nats, summed with their counts; the logits become its gradient.
inline double cross_entropy(Matrix& logits, const examples& given) {
  double sum = 0;
  logits.colwise() -= logits.rowwise().maxCoeff().eval();
  for (Index i = 0; i < logits.rows(); ++i) {
    auto row = logits.row(i).array();
    const float count = given.counts.empty() ? 1.f : given.counts[std::size_t(i)];
    const float hit = row(given.targets[std::size_t(i)]);
    row = row.exp();
    const float total = row.sum();
    sum += double(count * (std::log(total) - hit));
    row *= count / total;
    row(given.targets[std::size_t(i)]) -= count;
  }
  return sum;
}

// A decoder over bytes: embedding, blocks, norm, logits. Position enters through the mechanism alone.
class language_model {
 public:
  explicit language_model(const size& of) : size_(of), embedding_(plan_.matrix(256, of.width, 16)) {
    const double gain = 1 / std::sqrt(2.0 * double(of.blocks));  // so that the sum of all blocks starts at the size of one
    for (Index b = 0; b < of.blocks; ++b) add_block(gain);
    layers_.push_back(rms_norm(plan_, of.width));
    to_logits_ = plan_.matrix(of.width, 256, 0.5);
  }

  const parameters& plan() const { return plan_; }

  // The sum of the losses. Adds its gradients where a vector for them is given.
  double loss(const Vector& p, const attention& mechanism, const examples& given, Vector* gradients = nullptr) const {
    std::vector<way_back> ways_back;
    const Matrix last = rows(p, mechanism, given, gradients != nullptr ? &ways_back : nullptr);
    Matrix logits = last * to_logits_.of(p);
    const double sum = cross_entropy(logits, given);
    if (gradients == nullptr) return sum;

    to_logits_.of(*gradients).noalias() += last.transpose() * logits;
    Matrix d_x = logits * to_logits_.of(p).transpose();
    for (; !ways_back.empty(); ways_back.pop_back()) d_x = ways_back.back()(d_x, *gradients);
    for (Index i = 0; i < d_x.rows(); ++i) embedding_.of(*gradients).row(given.bytes[std::size_t(i)]) += d_x.row(i);
    return sum;
  }

  // The likeliest byte after each.
  std::vector<unsigned char> guesses(const Vector& p, const attention& mechanism, const examples& given) const {
    const Matrix logits = rows(p, mechanism, given, nullptr) * to_logits_.of(p);
    std::vector<unsigned char> likeliest(given.bytes.size());
    for (Index i = 0; i < logits.rows(); ++i) {
      Index best = 0;
      logits.row(i).maxCoeff(&best);
      likeliest[std::size_t(i)] = static_cast<unsigned char>(best);
    }
    return likeliest;
  }

  // Multiply-adds count two. Causal attention counts half of its square; backward costs two products for each of forward's in the
  // layers, five for two in attention.
  double training_flops_per_byte(Index length) const {
    const bool gated = size_.kind == block::gated_attention_unit;
    const Index head_channels = gated ? size_.channels + 2 * size_.width : 2 * size_.heads * size_.channels;
    const double attention = 2.0 * double(head_channels * length) / 2;
    return 6.0 * double(plan_.size() - 256 * size_.width) + double(size_.blocks) * 3.5 * attention;
  }

 private:
  using way_back = decltype(passed::back);

  // What the last norm makes of every byte, and the way back from there.
  Matrix rows(const Vector& p, const attention& mechanism, const examples& given, std::vector<way_back>* ways_back) const {
    const context with{p, mechanism, given.length};
    Matrix x(Index(given.bytes.size()), size_.width);
    for (Index i = 0; i < x.rows(); ++i) x.row(i) = embedding_.of(p).row(given.bytes[std::size_t(i)]);
    for (const layer& each : layers_) {
      passed made = each(with, std::move(x));
      if (ways_back != nullptr) ways_back->push_back(std::move(made.back));
      x = std::move(made.output);
    }
    return x;
  }

  void add_block(double gain) {
    const Index width = size_.width;
    const auto add = [&](auto inner) { layers_.push_back(residual{rms_norm(plan_, width), std::move(inner)}); };
    if (size_.kind == block::gated_attention_unit) {
      add(gated_attention_unit(plan_, width, 2 * width, size_.channels, gain));
    } else {
      add(self_attention(plan_, width, size_.heads, size_.channels, gain));
      add(feed_forward(plan_, width, 8 * width / 3 / 16 * 16, gain));
    }
  }

  size size_;
  parameters plan_;
  weights embedding_, to_logits_;
  std::vector<layer> layers_;
};

}  // namespace model

#pragma once

#include <memory>
#include <vector>

#include "linear.hpp"
#include "mechanism.hpp"

namespace pretrained {

using heads_in = longspan::view<const float>;
using heads_out = longspan::view<float>;

// The heads that stand side by side in the columns of a matrix with a row for each token.
template <class M>
auto heads_of(M& rows, index_t heads, index_t first_column = 0) {
  const index_t width = rows.cols(), channels = (width - first_column) / heads;
  using number = std::remove_pointer_t<decltype(rows.data())>;
  return longspan::view<number>{
      rows.data() + first_column, {1, heads, rows.rows(), channels}, {width * rows.rows(), channels, width, 1}};
}

// What one layer keeps of a text: its keys and values.
class kept {
 public:
  virtual ~kept() = default;
  virtual void append(const heads_in& k, const heads_in& v) = 0;
  // Attention of the last tokens.
  virtual void attend(const team& threads, const reading& by, const heads_in& q, const heads_out& output) const = 0;
  virtual void truncate(index_t length) = 0;
  virtual index_t bytes() const = 0;
};

// Near and far keys apart, put together by their log-sum-exps. near and far are called with an output and a log_sum_exp.
void attend_in_two(const heads_out& output, const auto& near, const auto& far) {
  const index_t h = output.extent[1], n = output.extent[2], d = output.extent[3];
  std::vector<float> other(std::size_t(h * n * d)), sums(std::size_t(2 * h * n));
  const heads_out of_far{other.data(), output.extent, {h * n * d, n * d, d, 1}};
  const heads_out sum{sums.data(), {1, h, n, 1}, {h * n, n, 1, 1}}, far_sum{sums.data() + h * n, sum.extent, sum.stride};
  near(output, sum);
  far(of_far, far_sum);
  longspan::merge_into(longspan::attended{output, sum}, longspan::attended{of_far, far_sum});
}

// As they are, not turned: any mechanism may read them.
class kept_as_rows : public kept {
 public:
  kept_as_rows(index_t key_heads, index_t channels, index_t room)
      : extent_{1, key_heads, 0, channels},
        stride_{key_heads * room * channels, room * channels, channels, 1},
        k_(std::size_t(stride_[0])),
        v_(k_) {}

  void append(const heads_in& k, const heads_in& v) override {
    const auto [batch, heads, tokens, channels] = k.extent;
    if ((extent_[2] + tokens) * channels > stride_[1]) throw std::length_error("a text is longer than the room for it");
    for (index_t h = 0; h < heads; ++h)
      for (index_t t = 0; t < tokens; ++t) {
        const index_t to = h * stride_[1] + (extent_[2] + t) * channels;
        std::copy_n(k.data + h * k.stride[1] + t * k.stride[2], channels, k_.data() + to);
        std::copy_n(v.data + h * v.stride[1] + t * v.stride[2], channels, v_.data() + to);
      }
    extent_[2] += tokens;
  }
  void attend(const team& threads, const reading& by, const heads_in& q, const heads_out& output) const override {
    const heads_in k{k_.data(), extent_, stride_}, v{v_.data(), extent_, stride_};
    if (!by.reindexed)
      return with_sentence(by, [&](const auto& sentence) { longspan::forward_into(threads, sentence, q, k, v, output); });
    const auto near = [&](const heads_out& out, const heads_out& sum) {
      with_sentence(by, [&](const auto& sentence) { longspan::forward_into(threads, sentence, q, k, v, out, sum); });
    };
    attend_in_two(output, near, [&](const heads_out& out, const heads_out& sum) {
      longspan::forward_into(threads, sentence_for_sinks(by), q, k, v, out, sum);
    });
  }
  void truncate(index_t length) override { extent_[2] = length; }
  index_t bytes() const override { return 8 * extent_[1] * extent_[2] * extent_[3]; }

 private:
  std::array<index_t, 4> extent_, stride_;
  std::vector<float> k_, v_;
};

// Turned once, in pages: what generates. As float, half of that, or a quarter.
template <class Storage>
class kept_in_cache : public kept {
 public:
  kept_in_cache(index_t key_heads, index_t channels, const reading& by) : by_(by) {
    const longspan::cache_shape shape{.key_heads = key_heads, .channels = channels, .value_channels = channels};
    with_sentence(by, [&](const auto& sentence) { all_ = std::make_unique<cache>(sentence, shape); });
    if (by.reindexed) sinks_ = std::make_unique<cache>(sentence_for_sinks(by), shape);
  }

  void append(const heads_in& k, const heads_in& v) override {
    if (const index_t missing = by_.reindexed ? std::min(by_.sinks - sinks_->length(), k.extent[2]) : 0; missing > 0) {
      auto extent = k.extent;
      extent[2] = missing;
      sinks_->append(heads_in{k.data, extent, k.stride}, heads_in{v.data, extent, v.stride});
    }
    all_->append(k, v);
  }
  void attend(const team& threads, const reading&, const heads_in& q, const heads_out& output) const override {
    if (!by_.reindexed)
      return with_sentence(by_, [&](const auto& sentence) { longspan::forward_into(threads, sentence, q, *all_, output); });
    const auto near = [&](const heads_out& out, const heads_out& sum) {
      with_sentence(by_, [&](const auto& sentence) { longspan::forward_into(threads, sentence, q, *all_, out, sum); });
    };
    attend_in_two(output, near, [&](const heads_out& out, const heads_out& sum) {
      const longspan::placement behind{.first_query = all_->length() - q.extent[2]};
      longspan::forward_into(threads, sentence_for_sinks(by_), q, *sinks_, out, sum, behind);
    });
  }
  void truncate(index_t length) override { all_->truncate(length); }
  index_t bytes() const override { return all_->bytes() + (sinks_ ? sinks_->bytes() : 0); }

 private:
  using cache = longspan::kv_cache<Storage>;
  reading by_;
  std::unique_ptr<cache> all_, sinks_;
};

}  // namespace pretrained

#pragma once

#include <algorithm>
#include <memory>

#include "near_and_far.hpp"

namespace pretrained {

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

template <class Storage>
std::unique_ptr<kept> keep_in_cache(index_t key_heads, index_t channels, const reading& by) {
  return std::make_unique<kept_in_cache<Storage>>(key_heads, channels, by);
}

}  // namespace pretrained

#pragma once

#include <memory>

#include "kept.hpp"

namespace pretrained {

template <class Storage>
class kept_in_cache : public kept {
 public:
  kept_in_cache(index_t key_heads, index_t channels, const reading& by) : by_(by) {
    const longspan::cache_shape shape{.key_heads = key_heads, .channels = channels, .value_channels = channels};
    with_sentence(by, [&](const auto& sentence) { all_ = std::make_unique<cache>(sentence, shape); });
  }

  void append(const heads_in& k, const heads_in& v) override { all_->append(k, v); }
  void attend(const team& threads, const reading&, const heads_in& q, const heads_out& output) const override {
    with_sentence(by_, [&](const auto& sentence) { longspan::forward_into(threads, sentence, q, *all_, output); });
  }
  void truncate(index_t length) override { all_->truncate(length); }
  index_t bytes() const override { return all_->bytes(); }

 private:
  using cache = longspan::kv_cache<Storage>;
  reading by_;
  std::unique_ptr<cache> all_;
};

template <class Storage>
std::unique_ptr<kept> keep_in_cache(index_t key_heads, index_t channels, const reading& by) {
  return std::make_unique<kept_in_cache<Storage>>(key_heads, channels, by);
}

}  // namespace pretrained

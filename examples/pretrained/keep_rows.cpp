#include <algorithm>
#include <array>
#include <stdexcept>
#include <vector>

#include "kept.hpp"

namespace pretrained {

namespace {

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
    with_sentence(by, [&](const auto& sentence) { longspan::forward_into(threads, sentence, q, k, v, output); });
  }
  void truncate(index_t length) override { extent_[2] = length; }
  index_t bytes() const override { return 8 * extent_[1] * extent_[2] * extent_[3]; }

 private:
  std::array<index_t, 4> extent_, stride_;
  std::vector<float> k_, v_;
};

}  // namespace

std::unique_ptr<kept> keep_rows(index_t key_heads, index_t channels, index_t room) {
  return std::make_unique<kept_as_rows>(key_heads, channels, room);
}

}  // namespace pretrained

#pragma once

#include <algorithm>
#include <span>

#include <longspan/core/interval.hpp>
#include <longspan/kernel/key_operand.hpp>
#include <longspan/kernel/prepare_row.hpp>
#include <longspan/tile/by_key.hpp>
#include <longspan/tile/multiply.hpp>
#include <longspan/tile/read_ahead.hpp>
#include <longspan/tile/shape.hpp>
#include <longspan/tile/transpose.hpp>

LONGSPAN_NAMESPACE_BEGIN
namespace detail {

// Keys that were prepared for many query rows and transposed into panels: word c of key j of a panel stands at c * panel + j.
template <class Words>
class packed_keys final : public key_operand<Words> {
 public:
  using T = typename Words::compute;
  using shape = tile_shape<T>;

  // Panels from that of key `first` on, keys of `depth` words.
  packed_keys(T* panels, index_t first, index_t depth) : keys_{panels, first, depth}, depth_(depth) {}

  static index_t size(index_t keys, index_t depth) { return round_up(keys, shape::panel) * depth; }

  [[gnu::flatten]] void multiply(const T* query, index_t query_stride, index_t rows, interval keys, T* to,
                                 index_t stride) const override {
    const index_t panel = round_down(keys.first, shape::panel);
    const product<T, Words> p{query, query_stride, keys_.at(panel) + (keys.first - panel), shape::panel, to, stride, depth_};
    detail::multiply<start::zero>(p, rows, keys.size());
  }

  // Fills the panel that begins at key `first`, and asks for what is `ahead` meanwhile. `scratch` has room for the numbers of one panel,
  // each key padded to whole batches.
  template <class Mechanism, head_rows Head, class Ahead>
  void pack(const Mechanism& mechanism, index_t key_head, const Head& keys, index_t first, T* scratch, Ahead&& ahead) const {
    const index_t count = std::min(shape::panel, keys.tokens - first), stride = padded_words_for<Words>(keys.channels);
    if (Mechanism::keeps_keys && is_words<Words>(keys) && count == shape::panel && keys.together_until(first) >= first + count)
      return transpose(reinterpret_cast<const T*>(keys.row(first)), keys.token_stride / Words::per_word, first, ahead);
    for (index_t j = 0; j < count; ++j) {
      ahead.ask(keys.channels * index_t(sizeof(typename Head::number)));
      prepare_row<Words>(keys, first + j, scratch + j * stride,
                         [&](std::span<T> channels) { mechanism.key(channels, mechanism.key_token(key_head, first + j)); });
    }
    std::fill(scratch + count * stride, scratch + shape::panel * stride, T(0));
    transpose(scratch, stride, first, nothing_ahead{});
  }

  // The same from rows of words that are prepared already.
  template <class Ahead>
  void transpose(const T* rows, index_t stride, index_t first, Ahead&& ahead) const {
    for (index_t j = 0; j < shape::panel; j += shape::lanes)
      for (index_t c = 0; c < depth_; c += shape::lanes) {
        ahead.ask(shape::lanes * shape::lanes * index_t(sizeof(T)));
        detail::transpose(rows + j * stride + c, stride, keys_.at(first) + c * shape::panel + j, shape::panel, depth_ - c);
      }
  }

 private:
  by_key<T> keys_;
  index_t depth_;
};

}  // namespace detail
LONGSPAN_NAMESPACE_END

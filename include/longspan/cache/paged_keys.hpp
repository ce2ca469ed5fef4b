#pragma once

#include <cstddef>
#include <type_traits>

#include <longspan/cache/page_layout.hpp>
#include <longspan/cache/text_pages.hpp>
#include <longspan/core/interval.hpp>
#include <longspan/kernel/key_operand.hpp>
#include <longspan/simd/words.hpp>
#include <longspan/tile/multiply.hpp>
#include <longspan/tile/read_ahead.hpp>

LONGSPAN_NAMESPACE_BEGIN
namespace detail {

// The keys of one key head of a text of a cache, as the kernel multiplies them: numbers become as wide as the computation when they are
// loaded. `Ahead` is what is prefetched meanwhile: nothing where many rows pass the keys, memory where few do.
template <class Storage, class Ahead>
class paged_keys : public key_operand<number_words<typename cache_storage<Storage>::compute>> {
  using layout = page_layout<Storage>;

 public:
  using T = typename layout::T;
  using shape = tile_shape<T>;

  paged_keys(const layout& of, const text_pages<Storage>& text, index_t head, no_room&, Ahead& ahead)
      : layout_(of), text_(text), head_(head), ahead_(ahead) {}

  // Where batches of keys stand together, those before the first are multiplied too: the tile has room for scores that nobody asks for.
  [[gnu::flatten]] void multiply(const T* query, index_t query_stride, index_t rows, interval keys, T* to,
                                 index_t stride) const override {
    to -= keys.first % layout::lanes_together, keys.first -= keys.first % layout::lanes_together;
    std::byte* const page = text_.page_of(keys.first);
    const index_t first = keys.first % layout::keys;
    const product<T, number_words<T>, typename layout::number> p{
        query,  query_stride,    layout_.key_panel(page, head_, first) + first % layout::panel, layout::panel, to,
        stride, layout_.channels};
    if constexpr (std::is_same_v<Ahead, nothing_ahead>) {
      detail::multiply<start::zero>(p, rows, keys.size());
    } else {
      if (rows <= shape::block::rows) {
        detail::multiply<start::zero>(p, interval{0, rows}, keys.size(), ahead_);
      } else {
        shared_ahead shared(ahead_, round_up(rows, shape::block::rows) / shape::block::rows);
        detail::multiply<start::zero>(p, interval{0, rows}, keys.size(), shared);
        ahead_ = shared.ahead();
      }
    }
    if constexpr (layout::scaled) {
      ahead_.ask(keys.size() * index_t(sizeof(T)));
      const T* const scales = layout_.key_scales(page, head_) + first;
      for (index_t r = 0; r < rows; ++r)
        for (index_t j = 0; j < keys.size(); ++j) to[r * stride + j] *= scales[j];
    }
  }

 private:
  const layout& layout_;
  const text_pages<Storage>& text_;
  index_t head_;
  Ahead& ahead_;
};

}  // namespace detail
LONGSPAN_NAMESPACE_END

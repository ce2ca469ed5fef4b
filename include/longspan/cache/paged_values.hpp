#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <type_traits>

#include <longspan/cache/page_layout.hpp>
#include <longspan/cache/text_pages.hpp>
#include <longspan/core/interval.hpp>
#include <longspan/kernel/value_operand.hpp>
#include <longspan/simd/words.hpp>
#include <longspan/tile/multiply.hpp>
#include <longspan/tile/multiply_seen.hpp>
#include <longspan/tile/read_ahead.hpp>

LONGSPAN_NAMESPACE_BEGIN
namespace detail {

// The values of one key head of a text of a cache, as the kernel multiplies them: see paged_keys.
template <class Storage, class Ahead>
class paged_values : public value_operand<number_words<typename cache_storage<Storage>::compute>> {
  using layout = page_layout<Storage>;

 public:
  using T = typename layout::T;
  using shape = tile_shape<T>;

  paged_values(const layout& of, const text_pages<Storage>& text, index_t head, no_room&, Ahead& ahead)
      : layout_(of), text_(text), head_(head), width_(round_up(of.value_channels, shape::lanes)), ahead_(ahead) {}

  [[gnu::flatten]] void multiply(start from, const T* weights, index_t stride, index_t rows, interval keys,
                                 T* out) const override {
    if (from == start::zero) std::fill(out, out + rows * width_, T(0));
    detail::cut_at_multiples(keys, layout::keys, [&](interval some) {
      with_scaled(weights + (some.first - keys.first), stride, rows, some, out, [&](const auto& p) {
        if constexpr (std::is_same_v<Ahead, nothing_ahead>)
          detail::multiply<start::output>(p, rows, width_);
        else
          detail::multiply_streamed(p, rows, width_, ahead_);
      });
    });
  }

  [[gnu::flatten]] void multiply_seen(const T* weights, index_t stride, std::span<const std::uint64_t> seen, interval keys,
                                      T* out) const override {
    with_scaled(weights, stride, index_t(seen.size()), keys, out, [&](const auto& p) { detail::multiply_seen(p, seen, width_); });
  }

 private:
  // Calls run(product) for keys of one page, of weights that are multiplied with the scales of the values where there are any.
  template <class Run>
  void with_scaled(const T* weights, index_t stride, index_t rows, interval keys, T* out, Run run) const {
    std::byte* const page = text_.page_of(keys.first);
    const index_t first = keys.first % layout::keys;
    using product_of_page = product<T, number_words<T>, typename layout::number>;
    const auto* const values = layout_.value_row(page, head_, first);
    if constexpr (layout::scaled) {
      ahead_.ask(keys.size() * index_t(sizeof(T)));
      const T* const scales = layout_.value_scales(page, head_) + first;
      std::array<T, std::size_t(shape::most_decode_rows * layout::keys)> scaled;
      for (index_t r = 0; r < rows; ++r)
        for (index_t j = 0; j < keys.size(); ++j) scaled[std::size_t(r * layout::keys + j)] = weights[r * stride + j] * scales[j];
      run(product_of_page{scaled.data(), layout::keys, values, layout_.width(), out, width_, keys.size()});
    } else {
      run(product_of_page{weights, stride, values, layout_.width(), out, width_, keys.size()});
    }
  }

  const layout& layout_;
  const text_pages<Storage>& text_;
  index_t head_, width_;
  Ahead& ahead_;
};

}  // namespace detail
LONGSPAN_NAMESPACE_END

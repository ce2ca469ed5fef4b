#pragma once

#include <algorithm>

#include <longspan/kernel/prepare_row.hpp>
#include <longspan/simd/batch.hpp>
#include <longspan/simd/widen.hpp>
#include <longspan/tensor/view.hpp>
#include <longspan/tile/shape.hpp>

LONGSPAN_NAMESPACE_BEGIN
namespace detail {

// Words that so many keys take, and numbers that pack_values works in, for rows of `width` words.
template <class Words>
index_t packed_values_size(index_t keys, index_t width) {
  return round_up(keys, Words::per_word) / Words::per_word * width;
}
template <class Words>
index_t packed_values_scratch(index_t width) {
  return Words::per_word * width;
}

// The keys from `first`, which begins a word, as the row of words that holds them; keys beyond the last are zeros.
template <class Words, head_rows Head, class T = typename Words::compute>
void pack_values(const Head& values, index_t first, T* row, index_t width, T* scratch) {
  if constexpr (Words::per_word == 2)
    if (values.channel_stride == 1 && values.channels == width && first + 2 <= values.tokens) {
      for (index_t c = 0; c < width; c += simd::lanes<batch<T>>)
        simd::store(row + c, Words::together(simd::widen<narrow_format<typename Head::number>>(values.row(first) + c),
                                             simd::widen<narrow_format<typename Head::number>>(values.row(first + 1) + c)));
      return;
    }
  T* const numbers = Words::per_word == 1 ? row : scratch;
  for (index_t w = 0; w < Words::per_word; ++w) {
    const index_t channels = first + w < values.tokens ? values.channels : 0;
    if (channels > 0) copy_row(values.row(first + w), values.channel_stride, numbers + w * width, 1, channels);
    std::fill(numbers + w * width + channels, numbers + (w + 1) * width, T(0));
  }
  if constexpr (Words::per_word == 2)
    for (index_t c = 0; c < width; c += simd::lanes<batch<T>>)
      simd::store(row + c, Words::together(simd::load<batch<T>>(numbers + c), simd::load<batch<T>>(numbers + width + c)));
}

}  // namespace detail
LONGSPAN_NAMESPACE_END

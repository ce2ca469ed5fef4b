#pragma once

#include <algorithm>

#include <longspan/core/interval.hpp>
#include <longspan/kernel/prepare_row.hpp>
#include <longspan/simd/batch.hpp>
#include <longspan/simd/widen.hpp>
#include <longspan/tensor/view.hpp>
#include <longspan/tile/multiply.hpp>
#include <longspan/tile/read_ahead.hpp>

LONGSPAN_NAMESPACE_BEGIN

// The values of one key head: a row of words for each key, or for as many keys as a word holds, in whole batches of channels. Those
// that come from memory are read with what is `ahead`.
template <class Words>
struct values {
  using T = typename Words::compute;

  const T* words;
  index_t stride;
  read_ahead* ahead = nullptr;

  // p.out (+)= p.left values, from key `first` on.
  template <start From>
  void multiply(product<T, Words> p, index_t rows, index_t first, index_t width) const {
    p.right = row(first), p.right_stride = stride;
    if (ahead == nullptr) return longspan::multiply<From>(p, rows, width);
    if constexpr (From == start::zero)
      for (index_t r = 0; r < rows; ++r) std::fill(p.out + r * p.out_stride, p.out + r * p.out_stride + width, T(0));
    multiply_streamed(p, rows, width, *ahead);
  }

  const T* row(index_t key) const { return words + key / Words::per_word * stride; }

  // Whether a tensor's values can be multiplied where they lie.
  template <class S>
  static bool in_place(const head_view<const S>& tensor) {
    return Words::per_word == 1 && is_words<Words>(tensor);
  }
  static index_t size(index_t keys, index_t stride) { return round_up(keys, Words::per_word) / Words::per_word * stride; }
  // Numbers that `pack` works in.
  static index_t scratch(index_t stride) { return Words::per_word * stride; }

  // The keys from `first`, which begins a word, as the row of words that holds them; keys beyond the last are zeros.
  template <class S>
  static void pack(const head_view<const S>& tensor, index_t first, T* row, index_t stride, T* scratch) {
    if constexpr (Words::per_word == 2)
      if (tensor.channel_stride == 1 && tensor.channels == stride && first + 2 <= tensor.tokens) {
        for (index_t c = 0; c < stride; c += simd::lanes<batch<T>>)
          simd::store(row + c, Words::together(simd::widen<narrow_format<S>>(tensor.row(first) + c),
                                               simd::widen<narrow_format<S>>(tensor.row(first + 1) + c)));
        return;
      }
    T* const numbers = Words::per_word == 1 ? row : scratch;
    for (index_t w = 0; w < Words::per_word; ++w) {
      const index_t channels = first + w < tensor.tokens ? tensor.channels : 0;
      if (channels > 0) copy_row(tensor.row(first + w), tensor.channel_stride, numbers + w * stride, 1, channels);
      std::fill(numbers + w * stride + channels, numbers + (w + 1) * stride, T(0));
    }
    if constexpr (Words::per_word == 2)
      for (index_t c = 0; c < stride; c += simd::lanes<batch<T>>)
        simd::store(row + c, Words::together(simd::load<batch<T>>(numbers + c), simd::load<batch<T>>(numbers + stride + c)));
  }
};

LONGSPAN_NAMESPACE_END

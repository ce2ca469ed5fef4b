#pragma once

#include <algorithm>
#include <cstddef>
#include <utility>

#include <longspan/core/index.hpp>
#include <longspan/simd/batch.hpp>

namespace longspan::inline LONGSPAN_ISA {

// The lanes of two registers interleaved, x0 y0 x1 y1 ...: the lower half of them (Half 0) or the upper (Half 1).
template <std::size_t Half, class Batch>
Batch interleave(const Batch& x, const Batch& y) {
  constexpr std::size_t width = std::size_t(simd::lanes<Batch>);
  return [&]<std::size_t... Lane>(std::index_sequence<Lane...>) {
    return Batch(__builtin_shufflevector(x.data, y.data, int((Lane + Half * width) / 2 + Lane % 2 * width)...));
  }(std::make_index_sequence<width>{});
}

// Transposes a square of as many rows as a batch has lanes: row r of `from` becomes column r of `to`, of which `columns` rows are
// written. In registers: log2(lanes) rounds of perfect shuffles bring lane c of every row together.
template <class T>
void transpose(const T* from, index_t from_stride, T* to, index_t to_stride, index_t columns) {
  using Batch = batch<T>;
  if constexpr (simd::is_scalar<Batch>) {
    if (columns > 0) *to = *from;
  } else {
    constexpr index_t width = simd::lanes<Batch>;
    Batch row[width], shuffled[width];
    for (index_t r = 0; r < width; ++r) row[r] = simd::load<Batch>(from + r * from_stride);
#pragma GCC unroll 4
    for (index_t round = 1; round < width; round *= 2) {
#pragma GCC unroll 8
      for (index_t r = 0; r < width / 2; ++r) {
        shuffled[2 * r] = interleave<0>(row[r], row[r + width / 2]);
        shuffled[2 * r + 1] = interleave<1>(row[r], row[r + width / 2]);
      }
#pragma GCC unroll 16
      for (index_t r = 0; r < width; ++r) row[r] = shuffled[r];
    }
    for (index_t c = 0; c < std::min(width, columns); ++c) simd::store(to + c * to_stride, row[c]);
  }
}

}  // namespace longspan::inline LONGSPAN_ISA

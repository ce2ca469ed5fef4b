#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <utility>

#include <longspan/core/index.hpp>
#include <longspan/simd/batch.hpp>
#include <longspan/simd/quiet.hpp>
#include <longspan/simd/widen.hpp>

LONGSPAN_QUIET_BEGIN

LONGSPAN_NAMESPACE_BEGIN
namespace detail {

// The lanes of 16 bytes: every instruction set has shuffles within those.
template <class Batch>
inline constexpr index_t block_lanes = std::min(simd::lanes<Batch>, index_t(16 / sizeof(simd::scalar<Batch>)));

// Interleaves the lower lanes of each 16-byte block of x and y (Half 0), or the upper ones (Half 1): x0 y0 x1 y1 ...
template <std::size_t Half, class Batch>
Batch interleave(const Batch& x, const Batch& y) {
  constexpr std::size_t width = std::size_t(simd::lanes<Batch>), block = std::size_t(block_lanes<Batch>);
  return [&]<std::size_t... Lane>(std::index_sequence<Lane...>) {
    return Batch(__builtin_shufflevector(x.data, y.data,
                                         int(Lane / block * block + (Lane % block + Half * block) / 2 + Lane % 2 * width)...));
  }(std::make_index_sequence<width>{});
}

// The even 16-byte blocks of x, then of y (Half 0), or the odd ones (Half 1): X0 X2 Y0 Y2.
template <std::size_t Half, class Batch>
Batch every_other_block(const Batch& x, const Batch& y) {
  constexpr std::size_t width = std::size_t(simd::lanes<Batch>), block = std::size_t(block_lanes<Batch>);
  return [&]<std::size_t... Lane>(std::index_sequence<Lane...>) {
    return Batch(__builtin_shufflevector(x.data, y.data, int((2 * (Lane / block) + Half) * block + Lane % block)...));
  }(std::make_index_sequence<width>{});
}

// Transposes a square, a register for each row: exchanges the bits of the row number with those of the lane number. One step shuffles every
// pair of rows that lie `Stride` apart, which exchanges one bit, and goes on to the next. The bits of lanes within 16-byte blocks come
// first, then those of the blocks' numbers. In a strip there are none of the latter: every 16-byte block of its registers is a square of
// its own.
template <index_t Stride, class Batch, std::size_t Width>
[[gnu::always_inline]] inline void exchange(std::array<Batch, Width>& row) {
  constexpr index_t width = index_t(Width), block = block_lanes<Batch>;
#pragma GCC unroll 8
  for (index_t pair = 0; pair < width / 2; ++pair) {
    Batch& x = row[std::size_t(pair / Stride * 2 * Stride + pair % Stride)];
    Batch& y = row[std::size_t(pair / Stride * 2 * Stride + pair % Stride + Stride)];
    const Batch first = Stride < block ? interleave<0>(x, y) : every_other_block<0>(x, y);
    y = Stride < block ? interleave<1>(x, y) : every_other_block<1>(x, y);
    x = first;
  }
  if constexpr (Stride == 1 && block < width)
    exchange<block>(row);
  else if constexpr (Stride < block && Stride > 1)
    exchange<Stride / 2>(row);
  else if constexpr (Stride >= block && 2 * Stride < width)
    exchange<2 * Stride>(row);
}

// The 16-byte blocks of as many vectors as it takes to fill a batch, `stride` numbers apart.
template <class Batch, index_t Lanes = simd::lanes<Batch>, class T>
[[gnu::always_inline]] inline auto blocks_at(const T* from, index_t stride) {
  if constexpr (Lanes == block_lanes<Batch>) {
    typedef T block __attribute__((vector_size(16)));
    block numbers;
    __builtin_memcpy(&numbers, from, sizeof numbers);
    return numbers;
  } else {
    const auto lower = blocks_at<Batch, Lanes / 2>(from, stride);
    const auto upper = blocks_at<Batch, Lanes / 2>(from + Lanes / 2 / block_lanes<Batch> * stride, stride);
    return [&]<std::size_t... Lane>(std::index_sequence<Lane...>) {
      return __builtin_shufflevector(lower, upper, int(Lane)...);
    }(std::make_index_sequence<std::size_t(Lanes)>{});
  }
}

// The columns of a square in memory, transposed in registers, or as many as a 16-byte block has lanes: a strip. Shuffles within 16-byte
// blocks and of whole blocks leave the ports of the multiply-add units free; shuffles of any lane to any place do not. The blocks of a
// strip meet while they are loaded, so it takes no shuffles of blocks, and half the registers of a square of AVX2. The numbers of a square
// may be narrower than a T.
template <class T, index_t Width = simd::lanes<batch<T>>, class S>
[[gnu::always_inline]] inline std::array<batch<T>, std::size_t(Width)> columns_of(const S* rows, index_t stride) {
  using Batch = batch<T>;
  constexpr index_t block = block_lanes<Batch>;
  std::array<Batch, std::size_t(Width)> row;
#pragma GCC unroll 16
  for (index_t r = 0; r < Width; ++r)
    if constexpr (Width == simd::lanes<Batch>)
      row[std::size_t(r)] = simd::load_wide<Batch>(rows + r * stride);
    else
      row[std::size_t(r)] = Batch(blocks_at<Batch>(rows + r * stride, block * stride));
  if constexpr (Width > 1) exchange<block / 2>(row);
  return row;
}

// Transposes a square of as many rows as a batch has lanes: row r of `from` becomes column r of `to`, of which `columns` rows are
// written.
template <class T>
void transpose(const T* from, index_t from_stride, T* to, index_t to_stride, index_t columns) {
  const auto transposed = columns_of<T>(from, from_stride);
  for (index_t c = 0; c < std::min(simd::lanes<batch<T>>, columns); ++c)
    simd::store(to + c * to_stride, transposed[std::size_t(c)]);
}

}  // namespace detail
LONGSPAN_NAMESPACE_END

LONGSPAN_QUIET_END

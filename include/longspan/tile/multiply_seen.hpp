#pragma once

#include <array>
#include <cstdint>
#include <span>

#include <longspan/core/index.hpp>
#include <longspan/core/interval.hpp>
#include <longspan/simd/batch.hpp>
#include <longspan/simd/lanes.hpp>
#include <longspan/simd/words.hpp>
#include <longspan/tile/multiply.hpp>
#include <longspan/tile/shape.hpp>

LONGSPAN_NAMESPACE_BEGIN
namespace detail {

// The product where rows do not see the same: bit j of seen[r] says whether row r sees number j of the depth, a word of which holds
// Words::per_word numbers. A hidden number is never multiplied with a row, not even by zero: 0 times NaN is NaN. Of a word that a row
// sees in part, the hidden number is zero on both sides. Every element is the same chain of multiply-adds as in multiply_block.

// A register block. Branches are cheap here: along the edge of a causal mask they repeat from key to key.
template <index_t Rows, index_t Batches, class T, class Words>
[[gnu::noinline]] void multiply_seen_block(const product<T, Words>& p, std::span<const std::uint64_t> seen, index_t first_row,
                                           index_t column) {
  using Batch = batch<T>;
  constexpr index_t lanes = simd::lanes<Batch>;
  constexpr std::uint64_t word = (std::uint64_t(1) << Words::per_word) - 1;
  Batch sum[Rows][Batches];
  std::uint64_t bits[Rows];
  const T* const left = p.left + first_row * p.left_stride;
  T* const out = p.out + first_row * p.out_stride + column;
#pragma GCC unroll 8
  for (index_t r = 0; r < Rows; ++r) bits[r] = seen[std::size_t(r)];
#pragma GCC unroll 8
  for (index_t r = 0; r < Rows; ++r)
#pragma GCC unroll 8
    for (index_t b = 0; b < Batches; ++b) sum[r][b] = simd::load<Batch>(out + r * p.out_stride + b * lanes);
  for (index_t k = 0; k < p.depth; ++k) {
    const T* const row = p.right + k * p.right_stride + column;
    Batch right[Batches];
#pragma GCC unroll 8
    for (index_t b = 0; b < Batches; ++b) right[b] = simd::load<Batch>(row + b * lanes);
#pragma GCC unroll 8
    for (index_t r = 0; r < Rows; ++r) {
      const std::uint64_t own = bits[r] & word;
      bits[r] >>= Words::per_word;
      if (own == 0) continue;
      const Batch factor(left[r * p.left_stride + k]);
#pragma GCC unroll 8
      for (index_t b = 0; b < Batches; ++b) {
        if constexpr (Words::per_word == 1)
          sum[r][b] = Words::multiply_add(factor, right[b], sum[r][b]);
        else
          sum[r][b] = Words::multiply_add(factor, own == word ? right[b] : Words::only(right[b], index_t(own) - 1), sum[r][b]);
      }
    }
  }
#pragma GCC unroll 8
  for (index_t r = 0; r < Rows; ++r)
#pragma GCC unroll 8
    for (index_t b = 0; b < Batches; ++b) simd::store(out + r * p.out_stride + b * lanes, sum[r][b]);
}

// Columns of whole batches, in the widest register blocks, the rest in blocks of half the width.
template <index_t Rows, index_t Batches, class T, class Words>
void multiply_seen_rows(const product<T, Words>& p, std::span<const std::uint64_t> seen, index_t first_row, interval columns) {
  constexpr index_t width = Batches * simd::lanes<batch<T>>;
  for (; columns.size() >= width; columns.first += width) multiply_seen_block<Rows, Batches>(p, seen, first_row, columns.first);
  if constexpr (Batches > 1)
    if (!columns.empty()) multiply_seen_rows<Rows, Batches / 2>(p, seen, first_row, columns);
}

// As many rows as there are words of bits, a register block of them at a time.
template <class T, class Words, index_t Rows = tile_shape<T>::block::rows>
void multiply_seen(const product<T, Words>& p, std::span<const std::uint64_t> seen, index_t columns, index_t first_row = 0) {
  if constexpr (Rows > 0) {
    if (index_t(seen.size()) < Rows) return multiply_seen<T, Words, Rows - 1>(p, seen, columns, first_row);
    multiply_seen_rows<Rows, tile_shape<T>::block::batches>(p, seen.first(std::size_t(Rows)), first_row, {0, columns});
    multiply_seen(p, seen.subspan(std::size_t(Rows)), columns, first_row + Rows);
  }
}

}  // namespace detail
LONGSPAN_NAMESPACE_END

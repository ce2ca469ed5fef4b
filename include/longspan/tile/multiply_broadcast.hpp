#pragma once

#include <algorithm>

#include <longspan/core/index.hpp>
#include <longspan/simd/batch.hpp>
#include <longspan/tile/multiply.hpp>
#include <longspan/tile/read_ahead.hpp>
#include <longspan/tile/shape.hpp>

LONGSPAN_NAMESPACE_BEGIN
namespace detail {

// out = left right for few columns, where `left` comes from memory: scores of keys where they lie, by queries that stand in the lanes. As
// many rows of `left` as keep enough sums in registers are broadcast word by word, in the same chains of multiply-adds as in `multiply`.
// The depth is whole batches. Prefetches what is `ahead` meanwhile.
template <index_t Rows, index_t Batches, class T, class Words, class Ahead>
[[gnu::noinline]] void multiply_broadcast_block(const product<T, Words>& p, index_t first_row, index_t column, Ahead& ahead) {
  using Batch = batch<T>;
  constexpr index_t lanes = simd::lanes<Batch>;
  const T* const left = p.left + first_row * p.left_stride;
  const T* right = p.right + column;
  T* const out = p.out + first_row * p.out_stride + column;
  Batch sum[Rows][Batches];
#pragma GCC unroll 8
  for (index_t r = 0; r < Rows; ++r)
#pragma GCC unroll 3
    for (index_t b = 0; b < Batches; ++b) sum[r][b] = Batch(T(0));
  for (index_t k = 0; k < p.depth; k += lanes) {
    ahead.ask_quickly(Rows * index_t(sizeof(Batch)));
#pragma GCC unroll 16
    for (index_t c = 0; c < lanes; ++c, right += p.right_stride) {
      Batch factors[Batches];
#pragma GCC unroll 3
      for (index_t b = 0; b < Batches; ++b) factors[b] = simd::load<Batch>(right + b * lanes);
#pragma GCC unroll 8
      for (index_t r = 0; r < Rows; ++r) {
        const Batch word(left[r * p.left_stride + k + c]);
#pragma GCC unroll 3
        for (index_t b = 0; b < Batches; ++b) sum[r][b] = Words::multiply_add(word, factors[b], sum[r][b]);
      }
    }
  }
#pragma GCC unroll 8
  for (index_t r = 0; r < Rows; ++r)
#pragma GCC unroll 3
    for (index_t b = 0; b < Batches; ++b) simd::store(out + r * p.out_stride + b * lanes, sum[r][b]);
}

// Some columns of it, for any number of whole batches of rows.
template <index_t Batches, class T, class Words, class Ahead>
void multiply_broadcast_columns(const product<T, Words>& p, index_t rows, index_t column, Ahead& ahead) {
  constexpr index_t most = std::min(tile_shape<T>::lanes, tile_shape<T>::broadcast_rows(Batches));
  for (index_t r = 0; r < rows; r += most) multiply_broadcast_block<most, Batches>(p, r, column, ahead);
}

// Rows and columns of whole batches: up to three batches of columns at a time, of which the first read the rows from memory.
template <class T, class Words, class Ahead>
void multiply_broadcast(const product<T, Words>& p, index_t rows, index_t columns, Ahead& ahead, index_t column = 0) {
  constexpr index_t lanes = tile_shape<T>::lanes;
  const index_t batches = (columns - column) / lanes, now = batches == 4 ? 2 : std::min<index_t>(batches, 3);
  if (now == 1) multiply_broadcast_columns<1>(p, rows, column, ahead);
  if (now == 2) multiply_broadcast_columns<2>(p, rows, column, ahead);
  if (now == 3) multiply_broadcast_columns<3>(p, rows, column, ahead);
  nothing_ahead nothing;
  if (now < batches) multiply_broadcast(p, rows, columns, nothing, column + now * lanes);
}

}  // namespace detail
LONGSPAN_NAMESPACE_END

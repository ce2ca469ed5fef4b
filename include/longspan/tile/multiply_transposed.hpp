#pragma once

#include <array>

#include <longspan/core/index.hpp>
#include <longspan/simd/batch.hpp>
#include <longspan/tile/multiply.hpp>
#include <longspan/tile/read_ahead.hpp>
#include <longspan/tile/shape.hpp>
#include <longspan/tile/transpose.hpp>

LONGSPAN_NAMESPACE_BEGIN
namespace detail {

// out = left right' for as many right rows as `Batches` batches have lanes: scores of some keys where they lie in the tensor. Squares
// of one batch, or strips of several, are transposed in registers and go into the same chains of multiply-adds as in `multiply`, so the
// bits are those of packed keys. The depth is whole batches. Right rows may be of narrower numbers, one batch of rows at a time. Prefetches
// what is `ahead` meanwhile.
template <index_t Rows, index_t Batches, class T, class Words, class Right, class Ahead>
[[gnu::noinline]] void multiply_transposed_block(const product<T, Words, Right>& p, Ahead& ahead) {
  using Batch = batch<T>;
  constexpr index_t lanes = simd::lanes<Batch>;
  constexpr index_t width = Batches > 1 ? block_lanes<Batch> : lanes;
  Batch sum[Rows][Batches];
#pragma GCC unroll 8
  for (index_t r = 0; r < Rows; ++r)
#pragma GCC unroll 2
    for (index_t b = 0; b < Batches; ++b) sum[r][b] = Batch(T(0));
  for (index_t k = 0; k < p.depth; k += width) {
    ahead.ask(Batches * width * lanes * index_t(sizeof(Right)));
    std::array<Batch, std::size_t(width)> columns[Batches];
#pragma GCC unroll 2
    for (index_t b = 0; b < Batches; ++b)
      columns[b] = columns_of<T, width>(p.right + b * lanes * p.right_stride + k, p.right_stride);
#pragma GCC unroll 16
    for (index_t c = 0; c < width; ++c)
#pragma GCC unroll 8
      for (index_t r = 0; r < Rows; ++r) {
        const Batch factor(p.left[r * p.left_stride + k + c]);
#pragma GCC unroll 2
        for (index_t b = 0; b < Batches; ++b) sum[r][b] = Words::multiply_add(factor, columns[b][std::size_t(c)], sum[r][b]);
      }
  }
#pragma GCC unroll 8
  for (index_t r = 0; r < Rows; ++r)
#pragma GCC unroll 2
    for (index_t b = 0; b < Batches; ++b) simd::store(p.out + r * p.out_stride + b * lanes, sum[r][b]);
}

// The same for `rows` left rows, at most streamed_rows.
template <index_t Batches, index_t Rows = 1, class T, class Words, class Right, class Ahead>
void multiply_transposed(const product<T, Words, Right>& p, Ahead&& ahead, index_t rows) {
  if constexpr (Rows <= tile_shape<T>::streamed_rows) {
    if (rows > Rows)
      multiply_transposed<Batches, Rows + 1>(p, ahead, rows);
    else
      multiply_transposed_block<Rows, Batches>(p, ahead);
  }
}

}  // namespace detail
LONGSPAN_NAMESPACE_END

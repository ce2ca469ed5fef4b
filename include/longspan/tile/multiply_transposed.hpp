#pragma once

#include <longspan/core/index.hpp>
#include <longspan/simd/batch.hpp>
#include <longspan/tile/multiply.hpp>
#include <longspan/tile/read_ahead.hpp>
#include <longspan/tile/shape.hpp>
#include <longspan/tile/transpose.hpp>

LONGSPAN_NAMESPACE_BEGIN
namespace detail {

// out = left right' for as many right rows as a batch has lanes: scores of a batch of keys where they lie in the tensor. Every square of
// lanes x lanes words is transposed in registers and goes into the same chains of multiply-adds as in `multiply`, so the bits are those of
// packed keys. The depth is whole batches. Prefetches what is `ahead` meanwhile.
template <index_t Rows, class T, class Words, class Ahead>
[[gnu::noinline]] void multiply_transposed_block(const product<T, Words>& p, Ahead& ahead) {
  using Batch = batch<T>;
  constexpr index_t lanes = simd::lanes<Batch>;
  Ahead held = ahead;
  Batch sum[Rows];
#pragma GCC unroll 8
  for (index_t r = 0; r < Rows; ++r) sum[r] = Batch(T(0));
  for (index_t k = 0; k < p.depth; k += lanes) {
    held.ask(lanes * index_t(sizeof(Batch)));
    const auto columns = columns_of(p.right + k, p.right_stride);
#pragma GCC unroll 16
    for (index_t c = 0; c < lanes; ++c)
#pragma GCC unroll 8
      for (index_t r = 0; r < Rows; ++r)
        sum[r] = Words::multiply_add(Batch(p.left[r * p.left_stride + k + c]), columns[std::size_t(c)], sum[r]);
  }
#pragma GCC unroll 8
  for (index_t r = 0; r < Rows; ++r) simd::store(p.out + r * p.out_stride, sum[r]);
  ahead = held;
}

// The same for `rows` left rows, at most streamed_rows.
template <index_t Rows = 1, class T, class Words, class Ahead>
void multiply_transposed(const product<T, Words>& p, Ahead&& ahead, index_t rows) {
  if constexpr (Rows <= tile_shape<T>::streamed_rows) {
    if (rows == Rows)
      multiply_transposed_block<Rows>(p, ahead);
    else
      multiply_transposed<Rows + 1>(p, ahead, rows);
  }
}

}  // namespace detail
LONGSPAN_NAMESPACE_END

#pragma once

#include <longspan/core/index.hpp>
#include <longspan/simd/batch.hpp>
#include <longspan/simd/multiply_add.hpp>
#include <longspan/tile/shape.hpp>

namespace longspan::inline LONGSPAN_ISA {

// The operands of one matrix product, out (+)= left right: left is rows x depth, right depth x columns, each with its row stride. The
// columns are whole batches; rows of `right` and `out` are contiguous.
template <class T>
struct product {
  const T* left;
  index_t left_stride;
  const T* right;
  index_t right_stride;
  T* out;
  index_t out_stride;
  index_t depth;
};

enum class start { zero, output };

// The one product of the library: a block of Rows x Batches accumulators that stay in registers over the whole depth. Every element is
// one chain of multiply-adds in the order of the depth, whatever block it falls in, so its bits do not depend on its neighbours.
template <index_t Rows, index_t Batches, start From, class T>
void multiply_block(const product<T>& p) {
  using Batch = batch<T>;
  constexpr index_t lanes = simd::lanes<Batch>;
  Batch sum[Rows][Batches];
#pragma GCC unroll 8
  for (index_t r = 0; r < Rows; ++r)
#pragma GCC unroll 8
    for (index_t b = 0; b < Batches; ++b)
      sum[r][b] = From == start::zero ? Batch(T(0)) : simd::load<Batch>(p.out + r * p.out_stride + b * lanes);
  for (index_t k = 0; k < p.depth; ++k) {
    Batch right[Batches];
#pragma GCC unroll 8
    for (index_t b = 0; b < Batches; ++b) right[b] = simd::load<Batch>(p.right + k * p.right_stride + b * lanes);
#pragma GCC unroll 8
    for (index_t r = 0; r < Rows; ++r) {
      const Batch left(p.left[r * p.left_stride + k]);
#pragma GCC unroll 8
      for (index_t b = 0; b < Batches; ++b) sum[r][b] = simd::multiply_add(left, right[b], sum[r][b]);
    }
  }
#pragma GCC unroll 8
  for (index_t r = 0; r < Rows; ++r)
#pragma GCC unroll 8
    for (index_t b = 0; b < Batches; ++b) simd::store(p.out + r * p.out_stride + b * lanes, sum[r][b]);
}

// Any number of columns, a multiple of the lanes, in blocks as wide as the registers allow.
template <index_t Rows, start From, class T>
void multiply_rows(product<T> p, index_t columns) {
  constexpr index_t lanes = tile_shape<T>::lanes;
  const auto block = [&]<index_t Batches>() {
    for (; columns >= Batches * lanes; columns -= Batches * lanes) {
      multiply_block<Rows, Batches, From>(p);
      p.right += Batches * lanes;
      p.out += Batches * lanes;
    }
  };
  block.template operator()<tile_shape<T>::block_batches>();
  if constexpr (tile_shape<T>::block_batches > 2) block.template operator()<2>();
  block.template operator()<1>();
}

// Any number of rows up to a register block.
template <start From, index_t Rows = 1, class T>
void multiply(const product<T>& p, index_t rows, index_t columns) {
  if constexpr (Rows <= tile_shape<T>::block_rows) {
    if (rows == Rows)
      multiply_rows<Rows, From>(p, columns);
    else
      multiply<From, Rows + 1>(p, rows, columns);
  }
}

}  // namespace longspan::inline LONGSPAN_ISA

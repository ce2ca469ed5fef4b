#pragma once

#include <algorithm>

#include <longspan/core/index.hpp>
#include <longspan/simd/batch.hpp>
#include <longspan/simd/words.hpp>
#include <longspan/tile/shape.hpp>

namespace longspan::inline LONGSPAN_ISA {

// The operands of one matrix product, out (+)= left right: left is rows x depth words, right depth x columns, each with its row stride
// in words. The columns are whole batches; rows of `right` and `out` are contiguous.
template <class T, class Words = number_words<T>>
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
template <index_t Rows, index_t Batches, start From, class T, class Words>
[[gnu::noinline]] void multiply_block(const product<T, Words>& p) {
  using Batch = batch<T>;
  constexpr index_t lanes = simd::lanes<Batch>;
  Batch sum[Rows][Batches];
#pragma GCC unroll 8
  for (index_t r = 0; r < Rows; ++r)
#pragma GCC unroll 8
    for (index_t b = 0; b < Batches; ++b)
      sum[r][b] = From == start::zero ? Batch(T(0)) : simd::load<Batch>(p.out + r * p.out_stride + b * lanes);
  const T *row = p.right, *left_of_row = p.left;
#pragma GCC unroll 2
  for (index_t k = 0; k < p.depth; ++k, row += p.right_stride, ++left_of_row) {
    Batch right[Batches];
#pragma GCC unroll 8
    for (index_t b = 0; b < Batches; ++b) right[b] = simd::load<Batch>(row + b * lanes);
#pragma GCC unroll 8
    for (index_t r = 0; r < Rows; ++r) {
      const Batch left(left_of_row[r * p.left_stride]);
#pragma GCC unroll 8
      for (index_t b = 0; b < Batches; ++b) sum[r][b] = Words::multiply_add(left, right[b], sum[r][b]);
    }
  }
#pragma GCC unroll 8
  for (index_t r = 0; r < Rows; ++r)
#pragma GCC unroll 8
    for (index_t b = 0; b < Batches; ++b) simd::store(p.out + r * p.out_stride + b * lanes, sum[r][b]);
}

// Any number of columns, a multiple of the lanes, in blocks as wide as the registers allow.
template <index_t Rows, start From, index_t Batches, class T, class Words>
void multiply_rows(product<T, Words> p, index_t columns) {
  constexpr index_t width = Batches * simd::lanes<batch<T>>;
  for (; columns >= width; columns -= width) {
    multiply_block<Rows, Batches, From>(p);
    p.right += width;
    p.out += width;
  }
  if constexpr (Batches > 1)
    if (columns > 0) multiply_rows<Rows, From, Batches / 2>(p, columns);
}

// Any number of rows up to those of a register block.
template <start From, class Block, index_t Rows = 1, class T, class Words>
void multiply_block_rows(const product<T, Words>& p, index_t rows, index_t columns) {
  if constexpr (Rows <= Block::rows) {
    if (rows == Rows)
      multiply_rows<Rows, From, Block::batches>(p, columns);
    else
      multiply_block_rows<From, Block, Rows + 1>(p, rows, columns);
  }
}

// Any number of rows, a register block of them at a time.
template <start From, class Block, class T, class Words>
void multiply(const product<T, Words>& p, index_t rows, index_t columns) {
  for (index_t r = 0; r < rows; r += Block::rows)
    multiply_block_rows<From, Block>(product<T, Words>{p.left + r * p.left_stride, p.left_stride, p.right, p.right_stride,
                                                       p.out + r * p.out_stride, p.out_stride, p.depth},
                                     std::min(Block::rows, rows - r), columns);
}
template <start From, class T, class Words>
void multiply(const product<T, Words>& p, index_t rows, index_t columns) {
  multiply<From, typename tile_shape<T>::block>(p, rows, columns);
}

// The same for a right operand that comes from memory, a few of its rows at a time: blocks as wide as a row read it in the order in
// which it lies, and it is in the first-level cache for the blocks below.
template <start From, class T, class Words>
void multiply_streamed(const product<T, Words>& p, index_t rows, index_t columns) {
  constexpr index_t step = 16;
  product<T, Words> part = p;
  part.depth = std::min(step, p.depth);
  multiply<From, typename tile_shape<T>::wide_block>(part, rows, columns);
  for (index_t k = step; k < p.depth; k += step) {
    part.left = p.left + k, part.right = p.right + k * p.right_stride, part.depth = std::min(step, p.depth - k);
    multiply<start::output, typename tile_shape<T>::wide_block>(part, rows, columns);
  }
}

}  // namespace longspan::inline LONGSPAN_ISA

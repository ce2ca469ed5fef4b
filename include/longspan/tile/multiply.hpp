#pragma once

#include <algorithm>

#include <longspan/core/index.hpp>
#include <longspan/simd/batch.hpp>
#include <longspan/simd/lanes.hpp>
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

// How the left operand lies: row by row, or transposed, its stride then that of its columns; or row by row with each word in all the
// lanes of a batch.
enum class left { rows, columns, batches };

// The one product of the library: a block of Rows x Batches accumulators that stay in registers over the whole depth. Every element is
// one chain of multiply-adds in the order of the depth, whatever block it falls in, so its bits do not depend on its neighbours.
template <index_t Rows, index_t Batches, start From, left Left, class T, class Words>
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
  const index_t stride = Left == left::columns ? 1 : p.left_stride;
  const index_t step = Left == left::columns ? p.left_stride : Left == left::batches ? lanes : 1;
#pragma GCC unroll 2
  for (index_t k = 0; k < p.depth; ++k, row += p.right_stride, left_of_row += step) {
    Batch right[Batches];
#pragma GCC unroll 8
    for (index_t b = 0; b < Batches; ++b) right[b] = simd::load<Batch>(row + b * lanes);
#pragma GCC unroll 8
    for (index_t r = 0; r < Rows; ++r) {
      const T* const from = left_of_row + r * stride;
      const Batch factor = Left == left::batches ? simd::load<Batch>(from) : Batch(*from);
#pragma GCC unroll 8
      for (index_t b = 0; b < Batches; ++b) sum[r][b] = Words::multiply_add(factor, right[b], sum[r][b]);
    }
  }
#pragma GCC unroll 8
  for (index_t r = 0; r < Rows; ++r)
#pragma GCC unroll 8
    for (index_t b = 0; b < Batches; ++b) simd::store(p.out + r * p.out_stride + b * lanes, sum[r][b]);
}

// Any number of columns, a multiple of the lanes, in blocks as wide as the registers allow.
template <index_t Rows, start From, left Left, index_t Batches, class T, class Words>
void multiply_rows(product<T, Words> p, index_t columns) {
  constexpr index_t width = Batches * simd::lanes<batch<T>>;
  for (; columns >= width; columns -= width) {
    multiply_block<Rows, Batches, From, Left>(p);
    p.right += width;
    p.out += width;
  }
  if constexpr (Batches > 1)
    if (columns > 0) multiply_rows<Rows, From, Left, Batches / 2>(p, columns);
}

// The same where a word takes a shuffle to fill a batch: the rows are spread before, a part of their depth at a time, and stay in the
// first-level cache for all columns.
template <index_t Rows, start From, left Left, index_t Batches, class T, class Words>
[[gnu::noinline]] void multiply_spread_rows(product<T, Words> p, index_t columns) {
  constexpr index_t most = 64, lanes = simd::lanes<batch<T>>;
  const index_t stride = Left == left::columns ? 1 : p.left_stride, step = Left == left::columns ? p.left_stride : 1;
  alignas(64) T words[std::size_t(Rows * most * lanes)];
  const auto next = [&]<start Next>(index_t depth) {
    for (index_t r = 0; r < Rows; ++r) {
      T* const to = words + r * most * lanes;
      index_t k = 0;
      if constexpr (Left == left::rows)
        for (; k + lanes <= depth; k += lanes) simd::spread(simd::load<batch<T>>(p.left + r * stride + k), to + k * lanes);
      for (; k < depth; ++k) simd::store(to + k * lanes, batch<T>(p.left[r * stride + k * step]));
    }
    multiply_rows<Rows, Next, left::batches, Batches>(
        product<T, Words>{words, most * lanes, p.right, p.right_stride, p.out, p.out_stride, depth}, columns);
    p.left += depth * step, p.right += depth * p.right_stride, p.depth -= depth;
  };
  next.template operator()<From>(std::min(most, p.depth));
  while (p.depth > 0) next.template operator()<start::output>(std::min(most, p.depth));
}

// Any number of rows up to those of a register block.
template <start From, left Left, class Block, index_t Rows = 1, class T, class Words>
void multiply_block_rows(const product<T, Words>& p, index_t rows, index_t columns) {
  if constexpr (Rows <= Block::rows) {
    if (rows == Rows) {
      if constexpr (simd::broadcasts_while_loading)
        multiply_rows<Rows, From, Left, Block::batches>(p, columns);
      else
        multiply_spread_rows<Rows, From, Left, Block::batches>(p, columns);
    } else {
      multiply_block_rows<From, Left, Block, Rows + 1>(p, rows, columns);
    }
  }
}

// Any number of rows, a register block of them at a time.
template <start From, left Left, class Block, class T, class Words>
void multiply(product<T, Words> p, index_t rows, index_t columns) {
  for (; rows > 0; rows -= Block::rows) {
    multiply_block_rows<From, Left, Block>(p, std::min(Block::rows, rows), columns);
    p.left += Block::rows * (Left == left::columns ? 1 : p.left_stride);
    p.out += Block::rows * p.out_stride;
  }
}
template <start From, left Left = left::rows, class T, class Words>
void multiply(const product<T, Words>& p, index_t rows, index_t columns) {
  multiply<From, Left, typename tile_shape<T>::block>(p, rows, columns);
}

// The same for a right operand that comes from memory, a few of its rows at a time: blocks as wide as a row read it in the order in
// which it lies, and it is in the first-level cache for the blocks below.
template <start From, class T, class Words>
void multiply_streamed(const product<T, Words>& p, index_t rows, index_t columns) {
  constexpr index_t step = 16;
  product<T, Words> part = p;
  part.depth = std::min(step, p.depth);
  multiply<From, left::rows, typename tile_shape<T>::wide_block>(part, rows, columns);
  for (index_t k = step; k < p.depth; k += step) {
    part.left = p.left + k, part.right = p.right + k * p.right_stride, part.depth = std::min(step, p.depth - k);
    multiply<start::output, left::rows, typename tile_shape<T>::wide_block>(part, rows, columns);
  }
}

}  // namespace longspan::inline LONGSPAN_ISA

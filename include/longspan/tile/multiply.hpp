#pragma once

#include <algorithm>
#include <type_traits>

#include <longspan/core/index.hpp>
#include <longspan/core/interval.hpp>
#include <longspan/simd/batch.hpp>
#include <longspan/simd/lanes.hpp>
#include <longspan/simd/widen.hpp>
#include <longspan/simd/words.hpp>
#include <longspan/tile/read_ahead.hpp>
#include <longspan/tile/shape.hpp>

LONGSPAN_NAMESPACE_BEGIN
namespace detail {

// The operands of one matrix product, out (+)= left right: left is rows x depth words, right is depth x columns words, out is rows x
// columns; strides are those of rows, in words. The columns are whole batches; rows of `right` and `out` are contiguous. `right` may hold
// narrower numbers, a number for a word, which become words when they are loaded (simd/widen.hpp). Functions that
// compute a part of a product take its first row and column beside the product itself. A changed copy of it would be written field by
// field and loaded again as vectors: the store buffer cannot forward that, and the load stalls until the stores have reached the cache.
template <class T, class Words = number_words<T>, class Right = T>
struct product {
  const T* left;
  index_t left_stride;
  const Right* right;
  index_t right_stride;
  T* out;
  index_t out_stride;
  index_t depth;
};

enum class start { zero, output };

// How the left operand lies. rows: row by row. columns: transposed, and its stride is that of its columns. batches: row by row, each
// word broadcast to a batch already.
enum class left { rows, columns, batches };

// The one product of the library: a block of Rows x Batches accumulators that stay in registers over the whole depth. Every element is
// one chain of multiply-adds in the order of the depth, whatever block it falls in, so its bits do not depend on its neighbours. Out of
// line, so that nothing else competes for the registers. Prefetches what is `ahead` meanwhile, whose state stays in memory: of a
// copy in registers g++ makes room by keeping right operands on the stack.
template <index_t Rows, index_t Batches, start From, left Left, class T, class Words, class Right, class Ahead>
[[gnu::noinline]] void multiply_block(const product<T, Words, Right>& p, index_t first_row, index_t column, Ahead& ahead) {
  using Batch = batch<T>;
  constexpr index_t lanes = simd::lanes<Batch>;
  const index_t stride = Left == left::columns ? 1 : p.left_stride;
  const index_t step = Left == left::columns ? p.left_stride : Left == left::batches ? lanes : 1;
  const Right* row = p.right + column;
  const T* left_of_row = p.left + first_row * stride;
  T* const out = p.out + first_row * p.out_stride + column;
  constexpr index_t at_once = tile_shape<T>::rows_asked_at_once;
  Batch sum[Rows][Batches];
#pragma GCC unroll 8
  for (index_t r = 0; r < Rows; ++r)
#pragma GCC unroll 8
    for (index_t b = 0; b < Batches; ++b)
      sum[r][b] = From == start::zero ? Batch(T(0)) : simd::load<Batch>(out + r * p.out_stride + b * lanes);
#pragma GCC unroll 2
  for (index_t k = 0; k < p.depth; ++k, row += p.right_stride, left_of_row += step) {
    if (k % at_once == 0) ahead.ask(std::min(at_once, p.depth - k) * Batches * lanes * index_t(sizeof(Right)));
    Batch right[Batches];
    simd::load_wide(row, right);
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
    for (index_t b = 0; b < Batches; ++b) simd::store(out + r * p.out_stride + b * lanes, sum[r][b]);
}

// A few rows, and columns of whole batches: in the widest register blocks, the rest in blocks of half the width.
template <index_t Rows, start From, left Left, index_t Batches, class T, class Words, class Right, class Ahead>
void multiply_rows(const product<T, Words, Right>& p, index_t first_row, interval columns, Ahead& ahead) {
  constexpr index_t width = Batches * simd::lanes<batch<T>>;
  for (; columns.size() >= width; columns.first += width)
    multiply_block<Rows, Batches, From, Left>(p, first_row, columns.first, ahead);
  if constexpr (Batches > 1)
    if (!columns.empty()) multiply_rows<Rows, From, Left, Batches / 2>(p, first_row, columns, ahead);
}

// The same where a broadcast takes a shuffle (SSE2), which multiply_block would repeat for every block of columns: the words of the left
// rows are broadcast once, spread_depth of them at a time (tile/shape.hpp), and read as batches from L1.
template <index_t Rows, start From, left Left, index_t Batches, class T, class Words, class Right, class Ahead>
[[gnu::noinline]] void multiply_spread_rows(const product<T, Words, Right>& p, index_t first_row, interval columns,
                                            Ahead& ahead) {
  constexpr index_t most = tile_shape<T>::spread_depth, lanes = simd::lanes<batch<T>>;
  const index_t stride = Left == left::columns ? 1 : p.left_stride, step = Left == left::columns ? p.left_stride : 1;
  alignas(64) T words[std::size_t(Rows * most * lanes)];
  const auto part = [&]<start Then>(std::integral_constant<start, Then>, index_t first, index_t depth) {
    for (index_t r = 0; r < Rows; ++r) {
      const T* const from = p.left + (first_row + r) * stride + first * step;
      T* const to = words + r * most * lanes;
      index_t k = 0;
      if constexpr (Left == left::rows)
        for (; k + lanes <= depth; k += lanes) simd::spread(simd::load<batch<T>>(from + k), to + k * lanes);
      for (; k < depth; ++k) simd::store(to + k * lanes, batch<T>(from[k * step]));
    }
    multiply_rows<Rows, Then, left::batches, Batches>(
        product<T, Words, Right>{words, most * lanes, p.right + first * p.right_stride, p.right_stride,
                                 p.out + first_row * p.out_stride, p.out_stride, depth},
        0, columns, ahead);
  };
  part(std::integral_constant<start, From>{}, 0, std::min(most, p.depth));
  for (index_t k = most; k < p.depth; k += most)
    part(std::integral_constant<start, start::output>{}, k, std::min(most, p.depth - k));
}

// As many rows as a register block has, or fewer.
template <start From, left Left, index_t Rows = 1, class T, class Words, class Right, class Ahead>
void multiply_block_rows(const product<T, Words, Right>& p, interval rows, index_t columns, Ahead& ahead) {
  using block = typename tile_shape<T>::block;
  if constexpr (Rows <= block::rows) {
    if (rows.size() > Rows)
      multiply_block_rows<From, Left, Rows + 1>(p, rows, columns, ahead);
    else if constexpr (simd::broadcasts_while_loading)
      multiply_rows<Rows, From, Left, block::batches>(p, rows.first, {0, columns}, ahead);
    else
      multiply_spread_rows<Rows, From, Left, block::batches>(p, rows.first, {0, columns}, ahead);
  }
}

// Any number of rows, a register block of them at a time.
template <start From, left Left = left::rows, class T, class Words, class Right, class Ahead = nothing_ahead>
void multiply(const product<T, Words, Right>& p, interval rows, index_t columns, Ahead&& ahead = {}) {
  for (constexpr index_t most = tile_shape<T>::block::rows; !rows.empty(); rows.first += most)
    multiply_block_rows<From, Left>(p, {rows.first, std::min(rows.first + most, rows.last)}, columns, ahead);
}
template <start From, left Left = left::rows, class T, class Words, class Right>
void multiply(const product<T, Words, Right>& p, index_t rows, index_t columns) {
  multiply<From, Left>(p, interval{0, rows}, columns);
}

// Of which the first register block of rows alone prefetches what is `ahead`.
template <start From, class T, class Words, class Right, class Ahead>
void multiply_first_ahead(const product<T, Words, Right>& p, index_t rows, index_t columns, Ahead& ahead) {
  const index_t first = std::min(tile_shape<T>::block::rows, rows);
  multiply<From>(p, interval{0, first}, columns, ahead);
  multiply<From>(p, interval{first, rows}, columns);
}

// out += left right where `right` comes from memory, as values do in decoding. The depth is cut into parts of streamed_depth
// (tile/shape.hpp): memory is read once, in the order of its addresses, and register blocks after the first find a part in L1. Of one or
// two blocks the first asks for what is ahead; of more all do, or the memory would idle meanwhile: 16 rows read at 18 GB/s instead of 16.
template <class T, class Words, class Right>
void multiply_streamed(const product<T, Words, Right>& p, index_t rows, index_t columns, read_ahead& ahead) {
  constexpr index_t most = tile_shape<T>::block::rows;
  const index_t blocks = round_up(rows, most) / most, step = tile_shape<T>::streamed_depth(blocks);
  shared_ahead shared(ahead, blocks);
  for (index_t k = 0; k < p.depth; k += step) {
    const product<T, Words, Right> part{p.left + k, p.left_stride, p.right + k * p.right_stride, p.right_stride,
                                        p.out,      p.out_stride,  std::min(step, p.depth - k)};
    if (blocks > 2) {
      multiply<start::output>(part, interval{0, rows}, columns, shared);
    } else {
      multiply_first_ahead<start::output>(part, rows, columns, ahead);
    }
  }
  if (blocks > 2) ahead = shared.ahead();
}

}  // namespace detail
LONGSPAN_NAMESPACE_END

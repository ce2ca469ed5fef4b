#pragma once

#include <algorithm>
#include <bit>
#include <cstdint>
#include <span>

#include <longspan/core/index.hpp>
#include <longspan/core/interval.hpp>
#include <longspan/core/key_set.hpp>
#include <longspan/simd/batch.hpp>
#include <longspan/simd/lanes.hpp>
#include <longspan/simd/widen.hpp>
#include <longspan/simd/words.hpp>
#include <longspan/tile/multiply.hpp>
#include <longspan/tile/shape.hpp>

LONGSPAN_NAMESPACE_BEGIN
namespace detail {

// The product where rows do not see the same: out += left right, where bit j of seen[r] says whether row r sees number j of the depth, a
// word of which holds Words::per_word numbers. A hidden number is never multiplied with a row, not even by zero: 0 times NaN is NaN. Of a
// word that a row sees in part, the hidden number of the right operand is zero.

// Words with the numbers that a row does not see made zero: bit i of `own`, which is not 0, says whether it sees number i of each.
template <class Words, class Batch>
Batch what_is_seen(Batch words, std::uint64_t own) {
  if constexpr (Words::per_word == 1)
    return words;
  else
    return own == 0b11 ? words : Words::only(words, index_t(own) - 1);
}

// A register block of rows, or fewer, which do not all see all of the depth: that begins with bit `first_bit`. Every element is the same
// chain of multiply-adds as in multiply_block. Branches are cheap here: along the edge of a causal mask they repeat from key to key. One
// body for any number of rows: what a row that is not there sees is nothing.
template <index_t Batches, left Left, class T, class Words, class Right>
[[gnu::noinline]] void multiply_seen_block(const product<T, Words, Right>& p, std::span<const std::uint64_t> seen,
                                           index_t first_bit, interval rows, index_t column) {
  using Batch = batch<T>;
  constexpr index_t lanes = simd::lanes<Batch>, most = tile_shape<T>::block::rows;
  constexpr std::uint64_t word = (std::uint64_t(1) << Words::per_word) - 1;
  const index_t stride = Left == left::columns ? 1 : p.left_stride, step = Left == left::columns ? p.left_stride : 1;
  const Right* row = p.right + column;
  const T* left_of_row = p.left + rows.first * stride;
  T* const out = p.out + rows.first * p.out_stride + column;
  Batch sum[most][Batches];
  std::uint64_t bits[most];
#pragma GCC unroll 8
  for (index_t r = 0; r < most; ++r) {
    bits[r] = r < rows.size() ? seen[std::size_t(rows.first + r)] >> first_bit : 0;
#pragma GCC unroll 8
    for (index_t b = 0; b < Batches; ++b)
      sum[r][b] = r < rows.size() ? simd::load<Batch>(out + r * p.out_stride + b * lanes) : Batch(T(0));
  }
  for (index_t k = 0; k < p.depth; ++k, row += p.right_stride, left_of_row += step) {
    Batch right[Batches];
    simd::load_wide(row, right);
#pragma GCC unroll 8
    for (index_t r = 0; r < most; ++r) {
      const std::uint64_t own = bits[r] & word;
      bits[r] >>= Words::per_word;
      if (own == 0) continue;
      const Batch factor(left_of_row[r * stride]);
#pragma GCC unroll 8
      for (index_t b = 0; b < Batches; ++b)
        sum[r][b] = Words::multiply_add(factor, what_is_seen<Words>(right[b], own), sum[r][b]);
    }
  }
#pragma GCC unroll 8
  for (index_t r = 0; r < most; ++r)
    if (r < rows.size())
#pragma GCC unroll 8
      for (index_t b = 0; b < Batches; ++b) simd::store(out + r * p.out_stride + b * lanes, sum[r][b]);
}

// Columns of whole batches, in the widest register blocks, the rest in blocks of half the width.
template <index_t Batches, left Left, class T, class Words, class Right>
void multiply_seen_columns(const product<T, Words, Right>& p, std::span<const std::uint64_t> seen, index_t first_bit,
                           interval rows, interval columns) {
  constexpr index_t width = Batches * simd::lanes<batch<T>>;
  for (; columns.size() >= width; columns.first += width)
    multiply_seen_block<Batches, Left>(p, seen, first_bit, rows, columns.first);
  if constexpr (Batches > 1)
    if (!columns.empty()) multiply_seen_columns<Batches / 2, Left>(p, seen, first_bit, rows, columns);
}

// The bits of those words of `PerWord` numbers that are seen whole.
template <index_t PerWord>
constexpr std::uint64_t whole_words(std::uint64_t seen) {
  static_assert(PerWord == 1 || PerWord == 2);
  if constexpr (PerWord == 1) return seen;
  const std::uint64_t pairs = seen & (seen >> 1) & 0x5555'5555'5555'5555;
  return pairs | pairs << 1;
}

// A part of the depth of a product, in words.
template <left Left, class T, class Words, class Right>
product<T, Words, Right> depth_of(const product<T, Words, Right>& p, interval words) {
  return {p.left + words.first * (Left == left::columns ? p.left_stride : 1),
          p.left_stride,
          p.right + words.first * p.right_stride,
          p.right_stride,
          p.out,
          p.out_stride,
          words.size()};
}

// Of as many rows as there are words of bits. The depth is at most that of 64 numbers. Where all rows of a register block see a run of
// some length they go without branches: half of the panel along a causal mask.
template <left Left = left::rows, class T, class Words, class Right>
void multiply_seen(const product<T, Words, Right>& p, std::span<const std::uint64_t> seen, index_t columns) {
  constexpr index_t per_word = Words::per_word, worth_a_call = 8;
  const std::uint64_t depth = interval{0, p.depth * per_word}.bits(0);
  for (interval rows{0, 0}; rows.last < index_t(seen.size());) {
    rows = {rows.last, std::min(rows.last + tile_shape<T>::block::rows, index_t(seen.size()))};
    std::uint64_t all = depth, any = 0;
    for (const std::uint64_t bits : seen.subspan(std::size_t(rows.first), std::size_t(rows.size()))) all &= bits, any |= bits;
    any &= depth;
    if (any == 0) continue;
    index_t reached = round_down(std::countr_zero(any), per_word);
    const auto one_by_one = [&](index_t last) {
      const interval words{reached / per_word, round_up(last, per_word) / per_word};
      if (!words.empty())
        multiply_seen_columns<tile_shape<T>::block::batches, Left>(depth_of<Left>(p, words), seen, reached, rows, {0, columns});
    };
    for_each_run_of_bits(whole_words<per_word>(all), [&](interval run) {
      if (run.size() < worth_a_call) return;
      one_by_one(run.first);
      multiply<start::output, Left>(depth_of<Left>(p, {run.first / per_word, run.last / per_word}), rows, columns);
      reached = run.last;
    });
    one_by_one(64 - std::countl_zero(any));
  }
}

}  // namespace detail
LONGSPAN_NAMESPACE_END

#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <span>

#include <longspan/core/interval.hpp>
#include <longspan/core/key_set.hpp>
#include <longspan/kernel/packed_keys.hpp>
#include <longspan/simd/words.hpp>
#include <longspan/tile/buffer.hpp>
#include <longspan/tile/by_key.hpp>
#include <longspan/tile/multiply_seen.hpp>
#include <longspan/tile/shape.hpp>
#include <longspan/tile/transposed.hpp>

LONGSPAN_NAMESPACE_BEGIN
namespace detail {

// The query rows of one step of the backward pass, prepared: rows of whole batches, padded with zeros.
template <class T, class Row>
struct backward_queries {
  std::span<Row> rows;
  const T* query;
  const T* d_output;
  T* d_query;
  index_t depth, width;  // how far rows of queries and of outputs stand apart
};

// What transforms sum while a tile of keys takes rows past it: so many numbers for each query head, from the first that reads its keys.
template <class T>
struct summed_by_tile {
  T* data;
  index_t count, first_head;
  T* of(index_t head) const { return data + (head - first_head) * count; }
};

// A tile of keys of the backward pass, prepared, both as rows and in panels, and their values in panels.
template <class T>
struct backward_keys {
  packed_keys<number_words<T>> panels, value_panels;
  by_key<const T> key;
  by_key<T> d_key, d_value;
  summed_by_tile<T> sums;
};

// The kernel of the backward pass: some query rows and one tile of keys, panel by panel. Of scores S = Q K' and gradients of weights
// dP = dO V' the rows make weights P and gradients of scores dS; then dQ += dS K, dV += P' dO and dK += dS' Q. A key that a row does not
// see is never multiplied with it, not even by zero, and every sum runs over keys and over queries in ascending order.
template <class T, class Row>
class backward_block {
  using shape = tile_shape<T>;
  // dV and dK read a column of weights down all rows. The stride is padded by one register: rows a multiple of 256 bytes apart would fall
  // into a few sets of L1.
  static constexpr index_t stride = shape::panel + shape::lanes;

 public:
  static constexpr index_t query_rows = shape::backward_query_rows;

  backward_block() : weight_(std::size_t(query_rows * stride)), d_score_(std::size_t(query_rows * stride)) {}

  void differentiate(const backward_queries<T, Row>& queries, const backward_keys<T>& keys, interval tile) {
    for (index_t first = tile.first; first < tile.last; first += panel_keys) {
      for (std::size_t r = 0; r < queries.rows.size(); ++r) seen_[r] = queries.rows[r].seen.bits(first);
      differentiate_panel(queries, keys, {first, std::min(first + panel_keys, tile.last)});
    }
  }

 private:
  [[gnu::flatten]] void differentiate_panel(const backward_queries<T, Row>& queries, const backward_keys<T>& keys,
                                            interval panel) {
    const index_t count = index_t(queries.rows.size());
    std::uint64_t all = ~std::uint64_t(0);
    for (index_t r = 0; r < count; r += shape::block::rows) {
      const auto seen =
          std::span<const std::uint64_t>(seen_).subspan(std::size_t(r), std::size_t(std::min(shape::block::rows, count - r)));
      std::uint64_t any = 0;
      for (const std::uint64_t bits : seen) any |= bits, all &= bits;
      if (any != 0) differentiate_rows(queries, keys, panel.first, r, seen, any);
    }
    seen_by_.fill(~std::uint64_t(0));  // mostly, and turning the bits costs 2 points of the peak
    if (all != interval{0, panel.size()}.bits(0)) seen_by_ = transposed(std::span(seen_).first(std::size_t(count)));
    add_to_keys(queries, keys, panel.first, std::span(seen_by_).first(std::size_t(panel.size())));
  }

  // Weights, gradients of scores and dQ of a register block of rows, from row r on, by the keys that any of them sees.
  void differentiate_rows(const backward_queries<T, Row>& queries, const backward_keys<T>& keys, index_t panel, index_t r,
                          std::span<const std::uint64_t> seen, std::uint64_t any) {
    const index_t rows = index_t(seen.size());
    const index_t first = round_down(std::countr_zero(any), shape::lanes);
    const interval some{panel + first, panel + round_up(panel_keys - std::countl_zero(any), shape::lanes)};
    keys.panels.multiply(queries.query + r * queries.depth, queries.depth, rows, some, weight(r, first), stride);
    keys.value_panels.multiply(queries.d_output + r * queries.width, queries.width, rows, some, d_score(r, first), stride);
    for (index_t i = 0; i < rows; ++i) {
      Row& row = queries.rows[std::size_t(r + i)];
      row.differentiate(some, seen[std::size_t(i)] >> first, weight(r + i, first), d_score(r + i, first),
                        keys.sums.of(row.told.head));
    }
    add_to_queries(queries, keys, panel, r, seen);
  }

  // dQ += dS K for a register block of rows from r on, by the keys of a panel. Not inlined into its callers, nor is add_to_keys: a product
  // for every number of rows is large.
  [[gnu::noinline, gnu::flatten]] void add_to_queries(const backward_queries<T, Row>& queries, const backward_keys<T>& keys,
                                                      index_t panel, index_t r, std::span<const std::uint64_t> seen) {
    multiply_seen(product<T>{d_score(r, 0), stride, keys.key.at(panel), queries.depth, queries.d_query + r * queries.depth,
                             queries.depth, panel_keys},
                  seen, queries.depth);
  }

  // dV += P' dO and dK += dS' Q of some keys, of which each knows the rows that see it: the same with queries and keys exchanged.
  [[gnu::noinline, gnu::flatten]] void add_to_keys(const backward_queries<T, Row>& queries, const backward_keys<T>& keys,
                                                   index_t panel, std::span<const std::uint64_t> seen_by) {
    const auto add = [&](const T* left, const T* right, T* out, index_t width) {
      multiply_seen<left::columns>(product<T>{left, stride, right, width, out, width, index_t(queries.rows.size())}, seen_by,
                                   width);
    };
    add(weight(0, 0), queries.d_output, keys.d_value.at(panel), queries.width);
    add(d_score(0, 0), queries.query, keys.d_key.at(panel), queries.depth);
  }

  T* weight(index_t row, index_t key) { return weight_.data() + row * stride + key; }
  T* d_score(index_t row, index_t key) { return d_score_.data() + row * stride + key; }

  buffer<T> weight_, d_score_;
  std::array<std::uint64_t, std::size_t(query_rows)> seen_;     // of one panel, the keys that each row sees
  std::array<std::uint64_t, std::size_t(panel_keys)> seen_by_;  // the rows that see each key
};

}  // namespace detail
LONGSPAN_NAMESPACE_END

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
#include <longspan/tile/multiply.hpp>
#include <longspan/tile/shape.hpp>
#include <longspan/tile/split_by_row.hpp>

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

// A tile of keys of the backward pass, prepared, both as rows and in panels, and their values in panels.
template <class T>
struct backward_keys {
  packed_keys<number_words<T>> panels, value_panels;
  by_key<const T> key;
  by_key<T> d_key, d_value;
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
      const index_t rows = std::min(shape::block::rows, count - r);
      const auto seen = std::span<const std::uint64_t>(seen_).subspan(std::size_t(r), std::size_t(rows));
      std::uint64_t any = 0;
      for (const std::uint64_t bits : seen) any |= bits, all &= bits;
      if (any != 0) differentiate_rows(queries, keys, panel.first, r, seen, any);
    }
    differentiate_keys(queries, keys, panel, all);
  }

  // Weights, gradients of scores and dQ of a register block of rows, from row r on, by the keys that any of them sees.
  void differentiate_rows(const backward_queries<T, Row>& queries, const backward_keys<T>& keys, index_t panel, index_t r,
                          std::span<const std::uint64_t> seen, std::uint64_t any) {
    const index_t rows = index_t(seen.size());
    const index_t first = round_down(std::countr_zero(any), shape::lanes);
    const interval some{panel + first, panel + round_up(panel_keys - std::countl_zero(any), shape::lanes)};
    keys.panels.multiply(queries.query + r * queries.depth, queries.depth, rows, some, weight(r, first), stride);
    keys.value_panels.multiply(queries.d_output + r * queries.width, queries.width, rows, some, d_score(r, first), stride);
    for (index_t i = 0; i < rows; ++i)
      queries.rows[std::size_t(r + i)].differentiate(some, seen[std::size_t(i)] >> first, weight(r + i, first),
                                                     d_score(r + i, first));
    split_by_row(
        seen, [&](interval of) { add_to_queries(queries, keys, panel, r, rows, of); },
        [&](index_t i, interval of) { add_to_queries(queries, keys, panel, r + i, 1, of); });
  }

  // dQ += dS K for some rows from r on and some keys of a panel. Not inlined into its callers, nor is add_to_keys: a product for every
  // number of rows is large.
  [[gnu::noinline, gnu::flatten]] void add_to_queries(const backward_queries<T, Row>& queries, const backward_keys<T>& keys,
                                                      index_t panel, index_t r, index_t rows, interval of) {
    multiply<start::output>(product<T>{d_score(r, of.first), stride, keys.key.at(panel + of.first), queries.depth,
                                       queries.d_query + r * queries.depth, queries.depth, of.size()},
                            rows, queries.depth);
  }

  // dV and dK: the same with queries and keys exchanged. A register block of keys goes through the rows that all of them are seen by
  // together, and each key alone through the others that see it.
  void differentiate_keys(const backward_queries<T, Row>& queries, const backward_keys<T>& keys, interval panel,
                          std::uint64_t all) {
    const index_t count = index_t(queries.rows.size());
    if (all == interval{0, panel.size()}.bits(0)) return add_to_keys(queries, keys, panel.first, {0, panel.size()}, {0, count});
    const auto seen_by = transposed(std::span(seen_).first(std::size_t(count)));
    for (index_t j = 0; j < panel.size(); j += shape::block::rows) {
      const index_t several = std::min(shape::block::rows, panel.size() - j);
      split_by_row(
          std::span(seen_by).subspan(std::size_t(j), std::size_t(several)),
          [&](interval rows) { add_to_keys(queries, keys, panel.first, {j, j + several}, rows); },
          [&](index_t key, interval rows) { add_to_keys(queries, keys, panel.first, {j + key, j + key + 1}, rows); });
    }
  }

  // dV += P' dO and dK += dS' Q for some keys of a panel and some rows.
  [[gnu::noinline, gnu::flatten]] void add_to_keys(const backward_queries<T, Row>& queries, const backward_keys<T>& keys,
                                                   index_t panel, interval of, interval rows) {
    const auto add = [&](const T* left, const T* right, T* out, index_t width) {
      multiply<start::output, left::columns>(product<T>{left, stride, right, width, out, width, rows.size()}, of.size(), width);
    };
    add(weight(rows.first, of.first), queries.d_output + rows.first * queries.width, keys.d_value.at(panel + of.first),
        queries.width);
    add(d_score(rows.first, of.first), queries.query + rows.first * queries.depth, keys.d_key.at(panel + of.first),
        queries.depth);
  }

  T* weight(index_t row, index_t key) { return weight_.data() + row * stride + key; }
  T* d_score(index_t row, index_t key) { return d_score_.data() + row * stride + key; }

  buffer<T> weight_, d_score_;
  std::array<std::uint64_t, std::size_t(query_rows)> seen_;  // of one panel
};

}  // namespace detail
LONGSPAN_NAMESPACE_END

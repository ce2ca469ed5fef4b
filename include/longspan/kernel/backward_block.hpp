#pragma once

#include <algorithm>
#include <span>

#include <longspan/core/interval.hpp>
#include <longspan/kernel/packed_keys.hpp>
#include <longspan/simd/words.hpp>
#include <longspan/tile/buffer.hpp>
#include <longspan/tile/multiply.hpp>
#include <longspan/tile/shape.hpp>

LONGSPAN_NAMESPACE_BEGIN

// The query rows of one step, prepared: rows of whole batches, what pads them zero.
template <class T, class Row>
struct backward_queries {
  std::span<Row> rows;
  const T* query;
  const T* d_output;
  T* d_query;
  index_t depth, width;  // how far rows of queries and of outputs stand apart
};

// A tile of keys, prepared, both as rows and in panels, and their values in panels. Pointers are to where key 0 would be.
template <class T>
struct backward_keys {
  packed_keys<number_words<T>> panels, value_panels;
  const T* key;
  T* d_key;
  T* d_value;
};

// The kernel of the backward pass: some query rows and one panel of keys. Of scores S = Q K' and gradients of weights dP = dO V' the
// rows make weights P and gradients of scores dS; then dQ += dS K, dV += P' dO and dK += dS' Q. A key that a row does not see is never
// multiplied with it, not even by zero, and every sum runs over keys and over queries in ascending order.
template <class T, class Row>
class backward_block {
  using shape = tile_shape<T>;
  // Columns are read down the rows: rows of a whole panel would all fall into the same few lines of the first-level cache.
  static constexpr index_t stride = shape::panel + shape::lanes;

 public:
  static constexpr index_t query_rows = shape::query_rows;

  backward_block() : weight_(std::size_t(query_rows * stride)), d_score_(std::size_t(query_rows * stride)) {}

  [[gnu::flatten]] void differentiate(const backward_queries<T, Row>& of, const backward_keys<T>& keys, interval panel) {
    T* const weight = weight_.data() - panel.first;
    T* const d_score = d_score_.data() - panel.first;
    const index_t count = index_t(of.rows.size());
    for (index_t r = 0; r < count; r += shape::block::rows) {
      const std::span<Row> rows = of.rows.subspan(std::size_t(r), std::size_t(std::min(shape::block::rows, count - r)));
      interval seen;
      for (const Row& row : rows) seen = hull(seen, hull(intersect(row.seen, panel)));
      if (seen.empty()) continue;
      const interval whole{round_down(seen.first, shape::lanes), round_up(seen.last, shape::lanes)};
      keys.panels.multiply({of.query + r * of.depth, of.depth, nullptr, 0, weight + r * stride + whole.first, stride, 0},
                           index_t(rows.size()), whole);
      keys.value_panels.multiply(
          {of.d_output + r * of.width, of.width, nullptr, 0, d_score + r * stride + whole.first, stride, 0}, index_t(rows.size()),
          whole);
      for (index_t i = 0; i < index_t(rows.size()); ++i)
        rows[std::size_t(i)].differentiate(whole, weight + (r + i) * stride, d_score + (r + i) * stride);
      over_seen(std::span<const Row>(rows), panel, [&](index_t i, index_t several, interval some) {
        multiply<start::output>(product<T>{d_score + (r + i) * stride + some.first, stride, keys.key + some.first * of.depth,
                                           of.depth, of.d_query + (r + i) * of.depth, of.depth, some.size()},
                                several, of.depth);
      });
    }
    over_seeing(std::span<const Row>(of.rows), panel, [&](index_t i, index_t several, interval some) {
      multiply<start::output, left::columns>(product<T>{weight + i * stride + some.first, stride, of.d_output + i * of.width,
                                                        of.width, keys.d_value + some.first * of.width, of.width, several},
                                             some.size(), of.width);
      multiply<start::output, left::columns>(product<T>{d_score + i * stride + some.first, stride, of.query + i * of.depth,
                                                        of.depth, keys.d_key + some.first * of.depth, of.depth, several},
                                             some.size(), of.depth);
    });
  }

 private:
  // Calls multiply(first row, rows, keys): those keys together that all the rows see, the others row by row.
  template <class Multiply>
  static void over_seen(std::span<const Row> rows, interval panel, Multiply multiply) {
    const index_t count = index_t(rows.size());
    for (std::size_t run = 0; run < rows[0].seen.size(); ++run) {
      interval common = panel, all;
      for (const Row& row : rows) common = intersect(common, row.seen[run]), all = hull(all, intersect(row.seen[run], panel));
      if (common.empty()) common = {all.last, all.last};
      const auto one_by_one = [&](interval fringe) {
        for (index_t i = 0; i < count && !fringe.empty(); ++i)
          if (const interval some = intersect(rows[std::size_t(i)].seen[run], fringe); !some.empty())
            multiply(i, index_t(1), some);
      };
      one_by_one({all.first, common.first});
      if (!common.empty()) multiply(index_t(0), count, common);
      one_by_one({common.last, all.last});
    }
  }

  // Calls multiply(first row, rows, keys): those rows together that see all the keys, a register block of them unless every row sees
  // the whole panel; other rows with the keys that they see.
  template <class Multiply>
  static void over_seeing(std::span<const Row> rows, interval panel, Multiply multiply) {
    const auto see = [&](index_t i, interval keys) {
      return std::ranges::any_of(rows[std::size_t(i)].seen, [=](const interval& run) { return intersect(run, keys) == keys; });
    };
    index_t count = index_t(rows.size()), seeing = 0;
    while (seeing < count && see(seeing, panel)) ++seeing;
    if (seeing == count) return multiply(index_t(0), count, panel);
    for (index_t j = panel.first; j < panel.last; j += shape::block::rows) {
      const interval block{j, std::min(j + shape::block::rows, panel.last)};
      for (index_t i = 0, end = 0; i < count; i = end) {
        while (end < count && see(end, block)) ++end;
        if (end > i)
          multiply(i, end - i, block);
        else
          for (const interval& some : intersect(rows[std::size_t(end++)].seen, block))
            if (!some.empty()) multiply(i, index_t(1), some);
      }
    }
  }

  buffer<T> weight_, d_score_;
};

LONGSPAN_NAMESPACE_END

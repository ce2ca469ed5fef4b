#pragma once

#include <algorithm>
#include <array>
#include <limits>
#include <span>
#include <type_traits>
#include <vector>

#include <longspan/core/interval.hpp>
#include <longspan/core/query_row.hpp>
#include <longspan/kernel/head_operands.hpp>
#include <longspan/kernel/tile_row.hpp>
#include <longspan/simd/lanes.hpp>
#include <longspan/tile/buffer.hpp>
#include <longspan/tile/multiply.hpp>
#include <longspan/tile/shape.hpp>

namespace longspan::inline LONGSPAN_ISA {

// The forward pass of a few query rows that share a key head, with the memory it works in: one per thread.
template <class T, class Mechanism>
class forward_tile {
  using shape = tile_shape<T>;
  using Row = tile_row<T, Mechanism>;
  static constexpr index_t block = shape::block_rows;

 public:
  explicit forward_tile(const Mechanism& mechanism)
      : mechanism_(mechanism),
        width_(round_up(mechanism.call.value_channels, shape::lanes)),
        query_(std::size_t(shape::query_rows * mechanism.call.channels)),
        score_(std::size_t(shape::query_rows * shape::key_rows)),
        output_(std::size_t(shape::query_rows * width_)) {
    rows_.reserve(std::size_t(shape::query_rows));
  }

  void clear() { rows_.clear(); }

  // Adds a query row: its channels, prepared, and what it sees.
  template <class S>
  void add(const head_view<const S>& queries, index_t b, index_t h, index_t i) {
    const std::span<T> row(query_.data() + index_t(rows_.size()) * mechanism_.call.channels, std::size_t(mechanism_.call.channels));
    copy_row(queries.row(i), queries.channel_stride, row.data(), 1, queries.channels);
    rows_.emplace_back(mechanism_, b, h, i);
    mechanism_.query(row, rows_.back().told.position);
  }

  // Attends to every tile of keys that some row sees. Tiles begin at multiples of their length, whoever asks.
  void attend(const head_operands<T>& head) {
    std::fill(output_.begin(), output_.end(), T(0));
    auto runs = rows_.front().seen;
    for (const Row& row : rows_)
      for (std::size_t r = 0; r < runs.size(); ++r) runs[r] = hull(runs[r], row.seen[r]);
    index_t next = 0;
    for (const interval& run : disjoint(runs))
      for (next = std::max(next, run.first / shape::key_rows * shape::key_rows); next < run.last; next += shape::key_rows)
        attend(head, {next, next + shape::key_rows});
  }

  // Row r, finished: divides by the sum of the weights and hands over output and log-sum-exp.
  template <class S>
  void finish(index_t r, S* output, index_t channel_stride, T* log_sum_exp) {
    const Row& row = rows_[std::size_t(r)];
    if (!hull(row.seen).empty()) {
      const batch<T> sum(row.softmax.sum());
      for (index_t c = 0; c < width_; c += shape::lanes) simd::store(outputs(r) + c, simd::load<batch<T>>(outputs(r) + c) / sum);
    }
    copy_row(outputs(r), 1, output, channel_stride, mechanism_.call.value_channels);
    *log_sum_exp = row.told.seen == 0 ? -std::numeric_limits<T>::infinity() : row.softmax.log_sum_exp();
  }

 private:
  void attend(const head_operands<T>& head, interval tile) {
    for (index_t first = tile.first; first < tile.last; first += shape::panel)
      for_blocks([&](index_t r, std::span<Row> rows) {
        if (intersect(seen(rows, tile), {first, first + shape::panel}).empty()) return;
        multiply<start::zero>(product<T>{query_.data() + r * mechanism_.call.channels, mechanism_.call.channels,
                                         head.keys + first * mechanism_.call.channels, shape::panel, scores(r) + first - tile.first,
                                         shape::key_rows, mechanism_.call.channels},
                              index_t(rows.size()), shape::panel);
      });
    for_blocks([&](index_t r, std::span<Row> rows) {
      for (std::size_t i = 0; i < rows.size(); ++i) rows[i].soften(tile, scores(r + index_t(i)), outputs(r + index_t(i)));
      accumulate(head, tile, r, rows);
    });
  }

  // output += weights values. Keys that every row of the block sees are multiplied together; those at the fringe of the mask, which
  // some row does not see, row by row: a hidden value, even NaN, is never multiplied, not even by zero.
  void accumulate(const head_operands<T>& head, interval tile, index_t r, std::span<Row> rows) {
    const auto add = [&](index_t row, index_t count, interval keys) {
      if (keys.empty()) return;
      multiply<start::output>(product<T>{scores(row) + keys.first - tile.first, shape::key_rows, head.values + keys.first * head.value_stride,
                                         head.value_stride, outputs(row), width_, keys.size()},
                              count, width_);
    };
    for (std::size_t run = 0; run < rows.front().seen.size(); ++run) {
      interval common = tile;
      for (const Row& row : rows) common = intersect(common, row.seen[run]);
      if (common.empty()) common = {tile.last, tile.last};
      for (std::size_t i = 0; i < rows.size(); ++i)
        add(r + index_t(i), 1, intersect(rows[i].seen[run], {tile.first, common.first}));
      add(r, index_t(rows.size()), common);
      for (std::size_t i = 0; i < rows.size(); ++i)
        add(r + index_t(i), 1, intersect(rows[i].seen[run], {common.last, tile.last}));
    }
  }

  template <class Each>
  void for_blocks(Each each) {
    for (std::size_t r = 0; r < rows_.size(); r += block)
      each(index_t(r), std::span(rows_).subspan(r, std::min(std::size_t(block), rows_.size() - r)));
  }

  static interval seen(std::span<const Row> rows, interval tile) {
    interval all;
    for (const Row& row : rows) all = hull(all, hull(intersect(row.seen, tile)));
    return all;
  }

  T* scores(index_t r) { return score_.data() + r * shape::key_rows; }
  T* outputs(index_t r) { return output_.data() + r * width_; }

  const Mechanism& mechanism_;
  index_t width_;
  buffer<T> query_, score_, output_;
  std::vector<Row> rows_;
};

}  // namespace longspan::inline LONGSPAN_ISA

#pragma once

#include <algorithm>
#include <limits>
#include <span>

#include <longspan/core/interval.hpp>
#include <longspan/kernel/prepare_row.hpp>
#include <longspan/kernel/tile_block.hpp>
#include <longspan/kernel/tile_row.hpp>
#include <longspan/kernel/values.hpp>
#include <longspan/simd/row.hpp>
#include <longspan/tensor/view.hpp>
#include <longspan/tile/buffer.hpp>
#include <longspan/tile/shape.hpp>

LONGSPAN_NAMESPACE_BEGIN

// The forward pass of a few query rows that share a key head, `block` of them at a time, with the memory it works in: one per thread.
template <class Words, class Mechanism>
class forward_tile {
  using T = typename Words::compute;
  using Batch = batch<T>;
  using shape = tile_shape<T>;
  using Row = tile_row<Words, Mechanism>;

 public:
  forward_tile(const Mechanism& mechanism, index_t block)
      : mechanism_(mechanism),
        block_(block),
        key_rows_(tile_keys<Words>(mechanism.call)),
        depth_(padded_words_for<Words>(mechanism.call.channels)),
        width_(round_up(mechanism.call.value_channels, shape::lanes)),
        query_(std::size_t(shape::query_rows * depth_ * Words::per_word)),
        output_(std::size_t(shape::query_rows * width_)),
        kernel_(mechanism.call) {
    rows_.reserve(std::size_t(shape::query_rows));
  }

  void clear() { rows_.clear(); }

  // Adds a query row: its channels, prepared, and what it sees.
  template <class S>
  void add(const head_view<const S>& queries, index_t b, index_t h, index_t i) {
    const index_t r = index_t(rows_.size());
    rows_.emplace_back(mechanism_, b, h, i);
    const Row& row = rows_.back();
    prepare_row<Words>(queries, i, query_.data() + r * depth_, [&](std::span<T> channels) {
      mechanism_.query(channels, row.told.position);
      if constexpr (Row::factor_in_query) simd::scale(channels, T(row.logits.factor.value));
    });
    std::fill(output(r), output(r + 1), T(0));
  }

  // Attends to the keys that some row sees, tile by tile. Tiles begin at multiples of their length, whoever asks.
  template <class Keys>
  void attend(const Keys& keys, const values<Words>& of) {
    auto runs = rows_.front().seen;
    for (const Row& row : rows_)
      for (std::size_t r = 0; r < runs.size(); ++r) runs[r] = hull(runs[r], row.seen[r]);
    index_t next = 0;
    for (const interval& run : disjoint(runs))
      for (next = std::max(next, round_down(run.first, key_rows_)); next < run.last; next += key_rows_)
        attend(keys, of, next, [&](index_t r, const softmax_part<T>& part, const T* output) { merge(r, part, output); });
  }

  // Attends to the tile of keys that begins at key `first`, and delivers the part of each row that sees one of them.
  template <class Keys, class Deliver>
  void attend(const Keys& keys, const values<Words>& of, index_t first, Deliver deliver) {
    for (index_t r = 0; r < index_t(rows_.size()); r += block_) {
      const std::span<const Row> rows =
          std::span(rows_).subspan(std::size_t(r), std::size_t(std::min(block_, index_t(rows_.size()) - r)));
      if (!kernel_.attend(rows, query_.data() + r * depth_, depth_, keys, of, {first, first + key_rows_})) continue;
      for (index_t i = 0; i < index_t(rows.size()); ++i)
        if (kernel_.sees(i)) deliver(r + i, kernel_.part(i), kernel_.output(i));
    }
  }

  bool sees(index_t r, index_t first) const { return !hull(rows_[std::size_t(r)].within({first, first + key_rows_})).empty(); }

  // Takes the part of a tile into the softmax and the output of row r.
  void merge(index_t r, const softmax_part<T>& part, const T* of_part) {
    const auto share = rows_[std::size_t(r)].softmax.merge(part);
    T* const to = output(r);
    for (index_t c = 0; c < width_; c += shape::lanes)
      simd::store(to + c, simd::multiply_add(simd::load<Batch>(to + c), Batch(share.before),
                                             simd::load<Batch>(of_part + c) * Batch(share.part)));
  }

  // Row r, finished: divides by the sum of the weights and hands over the output and, where it is kept, the log-sum-exp.
  template <class S>
  void finish(index_t r, S* to, index_t channel_stride, T* log_sum_exp) {
    const Row& row = rows_[std::size_t(r)];
    if (!hull(row.seen).empty()) simd::scale(std::span(output(r), std::size_t(width_)), 1 / row.softmax.sum());
    copy_row(output(r), 1, to, channel_stride, mechanism_.call.value_channels);
    if (log_sum_exp != nullptr)
      *log_sum_exp = row.told.seen == 0 ? -std::numeric_limits<T>::infinity() : row.softmax.log_sum_exp();
  }

 private:
  T* output(index_t r) { return output_.data() + r * width_; }

  const Mechanism& mechanism_;
  index_t block_, key_rows_, depth_, width_;
  buffer<T> query_, output_;
  buffer<Row> rows_;
  tile_block<Words, Row> kernel_;
};

LONGSPAN_NAMESPACE_END

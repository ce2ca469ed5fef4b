#pragma once

#include <algorithm>
#include <array>
#include <limits>
#include <span>
#include <vector>

#include <longspan/core/interval.hpp>
#include <longspan/core/query_row.hpp>
#include <longspan/kernel/tile_row.hpp>
#include <longspan/kernel/values.hpp>
#include <longspan/simd/lanes.hpp>
#include <longspan/simd/row.hpp>
#include <longspan/tensor/view.hpp>
#include <longspan/tile/buffer.hpp>
#include <longspan/tile/multiply.hpp>
#include <longspan/tile/shape.hpp>

namespace longspan::inline LONGSPAN_ISA {

// The forward pass of a few query rows that share a key head, `block` of them at a time, with the memory it works in: one per thread.
template <class Words, class Mechanism>
class forward_tile {
  using T = typename Words::compute;
  using Batch = batch<T>;
  using shape = tile_shape<T>;
  using Row = tile_row<Words, Mechanism>;
  static constexpr index_t largest = std::max(shape::block::rows, shape::streamed_rows), word_keys = Words::per_word * shape::lanes;

 public:
  forward_tile(const Mechanism& mechanism, index_t block)
      : mechanism_(mechanism),
        block_(block),
        key_rows_(tile_keys<Words>(mechanism.call)),
        depth_(padded_words_for<Words>(mechanism.call.channels)),
        width_(round_up(mechanism.call.value_channels, shape::lanes)),
        query_(std::size_t(shape::query_rows * depth_ * Words::per_word)),
        score_(std::size_t(block * key_rows_)),
        parts_(std::size_t((block + 1) * width_)),
        output_(std::size_t(shape::query_rows * width_)) {
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
      if constexpr (Row::factor_in_query) simd::scale(channels, T(row.logits.factor));
    });
    std::fill(outputs(r), outputs(r + 1), T(0));
  }

  // Attends to the keys that some row sees, tile by tile. Tiles begin at multiples of their length, whoever asks.
  template <class Keys, class Values>
  void attend(const Keys& keys, const Values& of) {
    auto runs = rows_.front().seen;
    for (const Row& row : rows_)
      for (std::size_t r = 0; r < runs.size(); ++r) runs[r] = hull(runs[r], row.seen[r]);
    index_t next = 0;
    for (const interval& run : disjoint(runs))
      for (next = std::max(next, round_down(run.first, key_rows_)); next < run.last; next += key_rows_)
        attend(keys, of, next, [&](index_t r, const softmax_part<T>& part, const T* output) { merge(r, part, output); });
  }

  // Attends to the tile of keys that begins at key `first`, a register block of rows at a time, and delivers each row's part.
  template <class Keys, class Values, class Deliver>
  void attend(const Keys& keys, const Values& of, index_t first, Deliver deliver) {
    for (index_t r = 0; r < index_t(rows_.size()); r += block_) {
      const index_t count = std::min(block_, index_t(rows_.size()) - r);
      if (!attend(keys, of, {first, first + key_rows_}, r, count)) continue;
      for (index_t i = 0; i < count; ++i)
        if (!hull(runs_[i]).empty()) deliver(r + i, part_[i], parts(i));
    }
  }

  bool sees(index_t r, index_t first) const { return !hull(rows_[std::size_t(r)].within({first, first + key_rows_})).empty(); }

  // Takes the part of a tile into the softmax and the output of row r.
  void merge(index_t r, const softmax_part<T>& part, const T* output) {
    const auto share = rows_[std::size_t(r)].softmax.merge(part);
    T* const to = outputs(r);
    for (index_t c = 0; c < width_; c += shape::lanes)
      simd::store(to + c, simd::multiply_add(simd::load<Batch>(to + c), Batch(share.before), simd::load<Batch>(output + c) * Batch(share.part)));
  }

  // Row r, finished: divides by the sum of the weights and hands over output and log-sum-exp.
  template <class S>
  void finish(index_t r, S* output, index_t channel_stride, T* log_sum_exp) {
    const Row& row = rows_[std::size_t(r)];
    if (!hull(row.seen).empty()) simd::scale(std::span(outputs(r), std::size_t(width_)), 1 / row.softmax.sum());
    copy_row(outputs(r), 1, output, channel_stride, mechanism_.call.value_channels);
    *log_sum_exp = row.told.seen == 0 ? -std::numeric_limits<T>::infinity() : row.softmax.log_sum_exp();
  }

 private:
  // Scores, logits, weights, and the output of the tile alone, for the rows from r. Each step for all rows of the block, so that the
  // slow ends of one row hide behind the next. Answers whether any of them sees a key.
  template <class Keys, class Values>
  __attribute__((flatten)) bool attend(const Keys& keys, const Values& of, interval tile, index_t r, index_t count) {
    const Row* const row = rows_.data() + r;
    interval seen;
    for (index_t i = 0; i < count; ++i) seen = hull(seen, hull(runs_[i] = row[i].within(tile)));
    if (seen.empty()) return false;
    std::array<Batch, std::size_t(largest)> maximum;
    maximum.fill(Batch(-std::numeric_limits<T>::infinity()));
    for (index_t first = round_down(seen.first, shape::panel); first < seen.last; first += shape::panel) {
      const interval panel = intersect({round_down(seen.first, word_keys), round_up(seen.last, word_keys)}, {first, first + shape::panel});
      keys.multiply({query_.data() + r * depth_, depth_, nullptr, 0, scores(0) + panel.first - tile.first, key_rows_, depth_}, count, panel);
      for (index_t i = 0; i < count; ++i)
        maximum[std::size_t(i)] = simd::max(maximum[std::size_t(i)], row[i].to_logits(panel, scores(i) - tile.first));
    }
    for (index_t i = 0; i < count; ++i) part_[i].maximum = simd::reduce_max(maximum[std::size_t(i)]);
    for (index_t i = 0; i < count; ++i)
      part_[i].sum = row[i].to_weights(runs_[i], scores(i) - tile.first, scores(i) - tile.first / Words::per_word, part_[i]);
    accumulate(of, tile, count);
    return true;
  }

  // parts = weights values. Keys that every row of the block sees are multiplied together; those at the fringe of the mask, which some
  // row does not see, row by row: a hidden value, even NaN, is never multiplied, not even by zero.
  template <class Values>
  void accumulate(const Values& of, interval tile, index_t count) {
    bool begun = false;
    const auto begin = [&] { begun = (begun || (std::fill(parts(0), parts(count), T(0)), true)); };
    for (std::size_t run = 0; run < runs_[0].size(); ++run) {
      interval common = runs_[0][run], all;
      for (index_t i = 0; i < count; ++i) common = intersect(common, runs_[i][run]), all = hull(all, runs_[i][run]);
      common = {round_up(common.first, Words::per_word), round_down(common.last, Words::per_word)};
      if (common.empty()) common = {all.last, all.last};
      const auto fringe = [&](interval keys) {
        if (keys.empty()) return;
        begin();
        for (index_t i = 0; i < count; ++i) add_fringe(of, tile, i, intersect(runs_[i][run], keys));
      };
      fringe({all.first, common.first});
      if (!begun && !common.empty())
        add<start::zero>(of, tile, 0, count, common), begun = true;
      else
        add<start::output>(of, tile, 0, count, common);
      fringe({common.last, all.last});
    }
    begin();
  }

  template <start From, class Values>
  void add(const Values& of, interval tile, index_t i, index_t count, interval keys) {
    if (keys.empty()) return;
    const product<T, Words> weighted{weights(i, keys.first - tile.first), key_rows_, nullptr, 0, parts(i), width_, keys.size() / Words::per_word};
    of.template multiply<From>(weighted, count, keys.first, width_);
  }

  // Whole words, and the halves of words at both ends.
  template <class Values>
  void add_fringe(const Values& of, interval tile, index_t i, interval keys) {
    const interval words{round_up(keys.first, Words::per_word), round_down(keys.last, Words::per_word)};
    for (index_t j = keys.first; j < std::min(words.first, keys.last); ++j) add_one(of, tile, i, j);
    add<start::output>(of, tile, i, 1, words);
    for (index_t j = std::max(words.last, words.first); j < keys.last; ++j) add_one(of, tile, i, j);
  }

  // One key, whose partners in the word are cleared: the row does not see them.
  template <class Values>
  void add_one(const Values& of, interval tile, index_t i, index_t j) {
    if constexpr (Words::per_word > 1) {
      T* const lone = parts(block_);
      for (index_t c = 0; c < width_; c += shape::lanes)
        simd::store(lone + c, Words::only(simd::load<Batch>(of.row(j) + c), j % Words::per_word));
      multiply<start::output>(product<T, Words>{weights(i, j - tile.first), key_rows_, lone, width_, parts(i), width_, 1}, 1, width_);
    }
  }

  T* outputs(index_t r) { return output_.data() + r * width_; }
  const T* weights(index_t i, index_t key) { return scores(i) + key / Words::per_word; }
  T* scores(index_t i) { return score_.data() + i * key_rows_; }
  T* parts(index_t i) { return parts_.data() + i * width_; }

  const Mechanism& mechanism_;
  index_t block_, key_rows_, depth_, width_;
  buffer<T> query_, score_, parts_, output_;
  std::vector<Row> rows_;

  // Of the register block at hand: what each row sees of the tile, and its softmax.
  typename Row::Seen runs_[largest];
  softmax_part<T> part_[largest];
};

}  // namespace longspan::inline LONGSPAN_ISA

#pragma once

#include <algorithm>
#include <array>
#include <limits>
#include <span>

#include <longspan/core/interval.hpp>
#include <longspan/core/shapes.hpp>
#include <longspan/kernel/prepare_row.hpp>
#include <longspan/kernel/values.hpp>
#include <longspan/simd/lanes.hpp>
#include <longspan/softmax/online_softmax.hpp>
#include <longspan/tile/buffer.hpp>
#include <longspan/tile/multiply.hpp>
#include <longspan/tile/shape.hpp>

LONGSPAN_NAMESPACE_BEGIN

// The kernel: a register block of query rows attends to one tile of keys. What it leaves is a part: the softmax of each row over the
// keys of the tile that it sees, and its output under that softmax.
template <class Words, class Row>
class tile_block {
  using T = typename Words::compute;
  using Batch = batch<T>;
  using shape = tile_shape<T>;

 public:
  // The most rows of a block.
  static constexpr index_t largest = std::max(shape::block::rows, shape::streamed_rows);

  explicit tile_block(const shapes& call)
      : key_rows_(tile_keys<Words>(call)),
        width_(round_up(call.value_channels, shape::lanes)),
        score_(std::size_t(largest * key_rows_)),
        output_(std::size_t((largest + 1) * width_)) {}

  const softmax_part<T>& part(index_t i) const { return part_[std::size_t(i)]; }
  const T* output(index_t i) const { return output_.data() + i * width_; }
  bool sees(index_t i) const { return !hull(runs_[std::size_t(i)]).empty(); }

  // Scores, logits, weights, output. Each step for all rows, so that the slow ends of one hide behind the next. Answers whether any row
  // sees a key; if none does, nothing was computed.
  template <class Keys>
  [[gnu::flatten]] bool attend(std::span<const Row> rows, const T* query, index_t query_stride, const Keys& keys,
                               const values<Words>& of, interval tile) {
    const index_t count = index_t(rows.size());
    interval seen;
    for (std::size_t i = 0; i < rows.size(); ++i) seen = hull(seen, hull(runs_[i] = rows[i].within(tile)));
    if (seen.empty()) return false;
    std::array<Batch, std::size_t(largest)> maximum;
    maximum.fill(Batch(-std::numeric_limits<T>::infinity()));
    for (index_t first = round_down(seen.first, shape::panel); first < seen.last; first += shape::panel) {
      const interval panel = intersect(whole_words(seen), {first, first + shape::panel});
      keys.multiply({query, query_stride, nullptr, 0, scores(0) + panel.first - tile.first, key_rows_, query_stride}, count,
                    panel);
      for (std::size_t i = 0; i < rows.size(); ++i)
        maximum[i] = simd::max(maximum[i], rows[i].to_logits(panel, scores(index_t(i)) - tile.first));
    }
    for (std::size_t i = 0; i < rows.size(); ++i) part_[i].maximum = simd::reduce_max(maximum[i]);
    for (std::size_t i = 0; i < rows.size(); ++i)
      part_[i].sum = rows[i].to_weights(runs_[i], scores(index_t(i)) - tile.first,
                                        weights(index_t(i)) - tile.first / Words::per_word, part_[i]);
    accumulate(of, tile, count);
    return true;
  }

 private:
  static interval whole_words(interval keys) {
    constexpr index_t stretch = Words::per_word * shape::lanes;
    return {round_down(keys.first, stretch), round_up(keys.last, stretch)};
  }

  // output = weights values. Keys that every row sees are multiplied together; those at the fringe of the mask, which some row does not
  // see, row by row: a hidden value, even NaN, is never multiplied, not even by zero.
  void accumulate(const values<Words>& of, interval tile, index_t count) {
    bool begun = false;
    for (std::size_t run = 0; run < runs_[0].size(); ++run) {
      interval common = runs_[0][run], all;
      for (index_t i = 0; i < count; ++i) {
        common = intersect(common, runs_[std::size_t(i)][run]);
        all = hull(all, runs_[std::size_t(i)][run]);
      }
      common = {round_up(common.first, Words::per_word), round_down(common.last, Words::per_word)};
      if (common.empty()) common = {all.last, all.last};
      if (!begun && all.first == common.first && !common.empty()) {
        add<start::zero>(of, tile, 0, count, common);
      } else {
        if (!begun) std::fill(output_.data(), output_.data() + count * width_, T(0));
        add_fringe(of, tile, count, run, {all.first, common.first});
        add<start::output>(of, tile, 0, count, common);
      }
      begun = true;
      add_fringe(of, tile, count, run, {common.last, all.last});
    }
  }

  template <start From>
  void add(const values<Words>& of, interval tile, index_t i, index_t count, interval keys) {
    if (keys.empty()) return;
    of.template multiply<From>({weights(i) + (keys.first - tile.first) / Words::per_word, key_rows_, nullptr, 0,
                                output_.data() + i * width_, width_, keys.size() / Words::per_word},
                               count, keys.first, width_);
  }

  // Row by row: whole words, and the keys at both ends that share their word with keys that the row does not see.
  void add_fringe(const values<Words>& of, interval tile, index_t count, std::size_t run, interval fringe) {
    for (index_t i = 0; i < count && !fringe.empty(); ++i) {
      const interval keys = intersect(runs_[std::size_t(i)][run], fringe);
      const interval words{round_up(keys.first, Words::per_word), round_down(keys.last, Words::per_word)};
      for (index_t j = keys.first; j < std::min(words.first, keys.last); ++j) add_one(of, tile, i, j);
      add<start::output>(of, tile, i, 1, words);
      for (index_t j = std::max(words.first, words.last); j < keys.last; ++j) add_one(of, tile, i, j);
    }
  }

  // One key, the others of its word cleared.
  void add_one(const values<Words>& of, interval tile, index_t i, index_t j) {
    if constexpr (Words::per_word > 1) {
      T* const lone = output_.data() + largest * width_;
      for (index_t c = 0; c < width_; c += shape::lanes)
        simd::store(lone + c, Words::only(simd::load<Batch>(of.row(j) + c), j % Words::per_word));
      multiply<start::output>(product<T, Words>{weights(i) + (j - tile.first) / Words::per_word, key_rows_, lone, width_,
                                                output_.data() + i * width_, width_, 1},
                              1, width_);
    }
  }

  // Weights take the place of the scores they are made of.
  T* scores(index_t i) { return score_.data() + i * key_rows_; }
  T* weights(index_t i) { return scores(i); }

  index_t key_rows_, width_;
  buffer<T> score_, output_;  // output: a row more, for a lone key
  std::array<typename Row::Seen, std::size_t(largest)> runs_;
  std::array<softmax_part<T>, std::size_t(largest)> part_;
};

LONGSPAN_NAMESPACE_END

#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <limits>
#include <span>

#include <longspan/core/interval.hpp>
#include <longspan/core/key_set.hpp>
#include <longspan/core/shapes.hpp>
#include <longspan/kernel/prepare_row.hpp>
#include <longspan/simd/batch.hpp>
#include <longspan/simd/lanes.hpp>
#include <longspan/softmax/online_softmax.hpp>
#include <longspan/tile/buffer.hpp>
#include <longspan/tile/multiply.hpp>
#include <longspan/tile/shape.hpp>
#include <longspan/tile/split_by_row.hpp>

LONGSPAN_NAMESPACE_BEGIN
namespace detail {

// The kernel: a register block of query rows attends to one tile of keys. What it leaves is a part: the softmax of each row over the
// keys of the tile that it sees, and its output under that softmax.
template <class Words, class Row>
class forward_block {
  using T = typename Words::compute;
  using Batch = batch<T>;
  using shape = tile_shape<T>;

 public:
  // The most rows of a block.
  static constexpr index_t largest = std::max(shape::block::rows, shape::streamed_rows);

  explicit forward_block(const shapes& lengths)
      : key_rows_(tile_keys<Words>(lengths)),
        width_(round_up(lengths.value_channels, shape::lanes)),
        score_(std::size_t(largest * key_rows_)),
        output_(std::size_t(largest * width_)) {}

  const softmax_part<T>& part(index_t i) const { return part_[std::size_t(i)]; }
  const T* output(index_t i) const { return output_.data() + i * width_; }
  bool sees(index_t i) const {
    return whole_ || std::ranges::any_of(panels_of(i), [](std::uint64_t bits) { return bits != 0; });
  }

  // Scores, logits, weights, output. Each step for all rows, so that the slow ends of one hide behind the next. Returns whether any row
  // sees a key; if none does, nothing was computed.
  template <class Keys, class Values>
  [[gnu::flatten]] bool attend(std::span<const Row> rows, const T* query, index_t query_stride, const Keys& keys,
                               const Values& values, index_t tile) {
    const index_t count = index_t(rows.size());
    const interval seen = look(rows, tile);
    if (seen.empty()) return false;
    std::array<Batch, std::size_t(largest)> maximum;
    maximum.fill(Batch(-std::numeric_limits<T>::infinity()));
    for (std::size_t p = std::size_t(panels_.first); p < std::size_t(panels_.last); ++p) {
      if (!whole_ && any_[p] == 0) continue;
      const index_t first = index_t(p) * panel_keys;
      const interval panel = intersect(whole_batches(seen), {first, first + panel_keys});
      keys.multiply(query, query_stride, count, {tile + panel.first, tile + panel.last}, scores(0) + panel.first, key_rows_);
      for (std::size_t i = 0; i < rows.size(); ++i) {
        const std::uint64_t bits = whole_ ? ~std::uint64_t(0) : seen_[i][p] >> (panel.first - first);
        maximum[i] = simd::max(maximum[i], rows[i].to_logits(panel, tile, bits, scores(index_t(i)) + panel.first));
      }
    }
    for (std::size_t i = 0; i < rows.size(); ++i) part_[i].maximum = simd::reduce_max(maximum[i]);
    for (std::size_t i = 0; i < rows.size(); ++i) {
      Batch sum(T(0));
      const auto add = [&](interval keys) { sum = rows[i].to_weights(keys, scores(index_t(i)), part_[i], sum); };
      if (whole_)
        add(seen);
      else
        for_each_stretch(panels_of(index_t(i)), panels_.first, add);
      part_[i].sum = sum;
    }
    accumulate(values, tile, count);
    return true;
  }

 private:
  using panel_bits = std::array<std::uint64_t, std::size_t(shape::key_rows(1) / panel_keys)>;

  static interval whole_batches(interval keys) {
    constexpr index_t stretch = Words::per_word * shape::lanes;
    return {round_down(keys.first, stretch), round_up(keys.last, stretch)};
  }

  // Finds what the rows see of the panels of the tile that begins at key `tile`; returns an interval that holds it, counted from there,
  // none where no row sees a key. Most tiles are seen whole by all rows, and of the others most panels: there no bits are made.
  interval look(std::span<const Row> rows, index_t tile) {
    constexpr std::uint64_t full = ~std::uint64_t(0);
    interval seen, common{0, key_rows_};
    for (const Row& row : rows) {
      const interval all = row.seen.hull(), own = intersect({all.first - tile, all.last - tile}, {0, key_rows_});
      seen = hull(seen, own);
      common = detail::covers(row.seen, all) ? intersect(common, own) : interval{};
    }
    panels_ = {seen.first / panel_keys, round_up(seen.last, panel_keys) / panel_keys};
    whole_ = common.size() == key_rows_;
    if (whole_ || seen.empty()) return seen;
    for (std::size_t i = 0; i < rows.size(); ++i) seen_[i].fill(full);
    any_.fill(full), all_.fill(full);
    std::uint64_t found = common.empty() ? 0 : 1;
    for (std::size_t p = std::size_t(panels_.first); p < std::size_t(panels_.last); ++p) {
      const index_t first = index_t(p) * panel_keys;
      if (common.first <= first && first + panel_keys <= common.last) continue;
      std::uint64_t any = 0, all = full;
      for (std::size_t i = 0; i < rows.size(); ++i) {
        const std::uint64_t bits = rows[i].seen.bits(tile + first);
        seen_[i][p] = bits, any |= bits, all &= bits;
      }
      any_[p] = any, all_[p] = all, found |= any;
    }
    return found == 0 ? interval{} : seen;
  }

  // output = weights values. Keys that every row sees are multiplied for all rows at once, across panels; the others row by row.
  template <class Values>
  void accumulate(const Values& values, index_t tile, index_t count) {
    if (whole_) return add(values, start::zero, tile, 0, count, {0, key_rows_});
    start from = start::zero;
    interval common;  // not multiplied yet
    const auto add_common = [&] {
      if (common.empty()) return;
      add(values, from, tile, 0, count, common);
      from = start::output, common = {};
    };
    const auto together = [&](interval keys) {
      if (common.last != keys.first) add_common();
      common = {common.empty() ? keys.first : common.first, keys.last};
    };
    const auto alone = [&](index_t i, interval keys) {
      add_common();
      if (from == start::zero) std::fill(output_.data(), output_.data() + count * width_, T(0));
      from = start::output;
      if (keys.size() % Words::per_word == 0)
        add(values, from, tile, i, 1, keys);
      else
        values.multiply_one(weights(i, keys.first), tile + keys.first, output_.data() + i * width_);
    };
    for (std::size_t p = std::size_t(panels_.first); p < std::size_t(panels_.last); ++p) {
      const index_t first = index_t(p) * panel_keys;
      const auto at = [=](interval keys) { return interval{first + keys.first, first + keys.last}; };
      if (all_[p] == ~std::uint64_t(0))
        together(at({0, panel_keys}));
      else if (any_[p] != 0)
        split_by_row<Words::per_word>(
            column(p, count), [&](interval keys) { together(at(keys)); }, [&](index_t i, interval keys) { alone(i, at(keys)); });
    }
    add_common();
  }

  // Of rows from i on. Not inlined into its callers: the product for every number of rows is large.
  template <class Values>
  [[gnu::noinline, gnu::flatten]] void add(const Values& values, start from, index_t tile, index_t i, index_t count,
                                           interval keys) {
    values.multiply(from, weights(i, keys.first), key_rows_, count, {tile + keys.first, tile + keys.last},
                    output_.data() + i * width_);
  }

  std::span<const std::uint64_t> panels_of(index_t i) const {
    return std::span(seen_[std::size_t(i)]).subspan(std::size_t(panels_.first), std::size_t(panels_.size()));
  }

  // What each row sees of panel p.
  std::span<const std::uint64_t> column(std::size_t p, index_t count) {
    for (std::size_t i = 0; i < std::size_t(count); ++i) column_[i] = seen_[i][p];
    return std::span(column_).first(std::size_t(count));
  }

  // Weights take the place of the scores they are made of. Keys count from the first of the tile.
  T* scores(index_t i) { return score_.data() + i * key_rows_; }
  const T* weights(index_t i, index_t key) { return scores(i) + key / Words::per_word; }

  index_t key_rows_, width_;
  buffer<T> score_, output_;
  std::array<panel_bits, std::size_t(largest)> seen_;
  bool whole_;            // all rows see the whole tile: then the bits say nothing
  interval panels_;       // that hold what the rows see
  panel_bits any_, all_;  // of the rows of the block
  std::array<std::uint64_t, std::size_t(largest)> column_;
  std::array<softmax_part<T>, std::size_t(largest)> part_;
};

}  // namespace detail
LONGSPAN_NAMESPACE_END

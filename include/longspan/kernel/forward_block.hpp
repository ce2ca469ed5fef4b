#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <limits>
#include <span>

#include <longspan/core/interval.hpp>
#include <longspan/core/key_set.hpp>
#include <longspan/core/shapes.hpp>
#include <longspan/kernel/prepare_row.hpp>
#include <longspan/kernel/tile_sight.hpp>
#include <longspan/simd/batch.hpp>
#include <longspan/simd/lanes.hpp>
#include <longspan/softmax/online_softmax.hpp>
#include <longspan/tile/buffer.hpp>
#include <longspan/tile/multiply.hpp>
#include <longspan/tile/shape.hpp>

LONGSPAN_NAMESPACE_BEGIN
namespace detail {

// The kernel: a block of query rows attends to one tile of keys. What it leaves is a part: the softmax of each row over the
// keys of the tile that it sees, and its output under that softmax.
template <class Words, class Row>
class forward_block {
  using T = typename Words::compute;
  using Batch = batch<T>;
  using shape = tile_shape<T>;

 public:
  // The most rows of a block.
  static constexpr index_t largest = std::max(shape::block::rows, shape::most_decode_rows);

  // For at most so many rows.
  forward_block(const shapes& lengths, index_t rows)
      : key_rows_(tile_keys<Words>(lengths)),
        width_(round_up(lengths.value_channels, shape::lanes)),
        score_(std::size_t(rows * key_rows_)),
        output_(std::size_t(rows * width_)) {}

  const softmax_part<T>& part(index_t i) const { return part_[std::size_t(i)]; }
  const T* output(index_t i) const { return output_.data() + i * width_; }
  bool sees(index_t i) const { return sight_.sees(i); }

  // Scores, logits, weights, output. Each step for all rows, so that the slow ends of one hide behind the next. Returns whether any row
  // sees a key; if none does, nothing was computed.
  template <class Keys, class Values>
  [[gnu::flatten]] bool attend(std::span<const Row> rows, const T* query, index_t query_stride, const Keys& keys,
                               const Values& values, index_t tile) {
    const index_t count = index_t(rows.size());
    sight_.look(rows, tile, key_rows_);
    if (sight_.seen().empty()) return false;
    std::array<Batch, std::size_t(largest)> maximum;
    std::fill_n(maximum.begin(), count, Batch(-std::numeric_limits<T>::infinity()));
    for (index_t p = sight_.panels().first; p < sight_.panels().last; ++p) {
      if (!sight_.any(p)) continue;
      const interval panel = intersect(whole_batches(sight_.seen()), {p * panel_keys, (p + 1) * panel_keys});
      keys.multiply(query, query_stride, count, {tile + panel.first, tile + panel.last}, scores(0) + panel.first, key_rows_);
      for (index_t i = 0; i < count; ++i) {
        const std::uint64_t bits = sight_.bits(i, p) >> (panel.first - p * panel_keys);
        maximum[std::size_t(i)] =
            simd::max(maximum[std::size_t(i)], rows[std::size_t(i)].to_logits(panel, tile, bits, scores(i) + panel.first));
      }
    }
    for (std::size_t i = 0; i < rows.size(); ++i) part_[i].maximum = simd::reduce_max(maximum[i]);
    for (std::size_t i = 0; i < rows.size(); ++i) {
      Batch sum(T(0));
      sight_.for_each_stretch(index_t(i),
                              [&](interval some) { sum = rows[i].to_weights(some, tile, scores(index_t(i)), part_[i], sum); });
      part_[i].sum = sum;
    }
    accumulate(values, tile, count);
    return true;
  }

 private:
  static interval whole_batches(interval keys) {
    constexpr index_t stretch = Words::per_word * shape::lanes;
    return {round_down(keys.first, stretch), round_up(keys.last, stretch)};
  }

  // output = weights values: for all rows at once where they see whole panels, else for each the keys that it sees.
  template <class Values>
  void accumulate(const Values& values, index_t tile, index_t count) {
    interval panels = sight_.panels();
    start from = start::zero;
    if (!sight_.full_of(panels.first)) {
      std::fill(output_.data(), output_.data() + count * width_, T(0));
      from = start::output;
    }
    while (!panels.empty()) {
      const index_t p = panels.first++;
      if (sight_.full_of(p)) {
        while (!panels.empty() && sight_.full_of(panels.first)) ++panels.first;
        add(values, from, tile, count, {p * panel_keys, panels.first * panel_keys});
        from = start::output;
      } else if (sight_.any(p)) {
        add_seen(values, tile, count, p);
      }
    }
  }

  // Not inlined into its caller: the product for every number of rows is large.
  template <class Values>
  [[gnu::noinline, gnu::flatten]] void add(const Values& values, start from, index_t tile, index_t count, interval keys) {
    values.multiply(from, weights(0, keys.first), key_rows_, count, {tile + keys.first, tile + keys.last}, output_.data());
  }
  template <class Values>
  [[gnu::noinline, gnu::flatten]] void add_seen(const Values& values, index_t tile, index_t count, index_t p) {
    const interval seen = sight_.seen(p);
    const interval keys{round_down(seen.first, Words::per_word), round_up(seen.last, Words::per_word)};
    const auto bits = sight_.by_row(count, p, keys.first - p * panel_keys);
    values.multiply_seen(weights(0, keys.first), key_rows_, std::span(bits).first(std::size_t(count)),
                         {tile + keys.first, tile + keys.last}, output_.data());
  }

  // Weights take the place of the scores they are made of. Keys count from the first of the tile.
  T* scores(index_t i) { return score_.data() + i * key_rows_; }
  const T* weights(index_t i, index_t key) { return scores(i) + key / Words::per_word; }

  index_t key_rows_, width_;
  buffer<T> score_, output_;
  tile_sight<T, largest> sight_;
  std::array<softmax_part<T>, std::size_t(largest)> part_;
};

}  // namespace detail
LONGSPAN_NAMESPACE_END

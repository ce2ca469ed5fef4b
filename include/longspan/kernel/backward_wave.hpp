#pragma once

#include <algorithm>
#include <atomic>
#include <cmath>
#include <limits>
#include <span>
#include <vector>

#include <longspan/core/device.hpp>
#include <longspan/core/interval.hpp>
#include <longspan/kernel/backward_row.hpp>
#include <longspan/kernel/backward_rows.hpp>
#include <longspan/kernel/key_head.hpp>
#include <longspan/kernel/key_tile.hpp>
#include <longspan/kernel/wave.hpp>
#include <longspan/tile/buffer.hpp>

LONGSPAN_NAMESPACE_BEGIN
namespace detail {

// The backward pass of a wave of key heads (as many at once as take the memory of the one with the most rows for each thread: see
// prefill_wave), in three rounds of items for any number of threads. First the query rows are prepared. Then every tile of keys takes all
// rows past it, a step of them at a time, in the order of the rows; a step waits until the tile before has let it pass. Last the rows'
// gradients are handed over.
template <class Text, class Seeds>
class backward_wave {
  using Mechanism = typename Text::mechanism_type;
  using T = typename Text::tensors_type::compute;
  using Row = backward_row<T, Mechanism, Seeds>;
  using Tile = key_tile<Text, Row>;

 public:
  backward_wave(std::span<const Text> texts, const Seeds& learned_numbers, index_t threads)
      : heads_(texts),
        seeds_(learned_numbers),
        room_(heads_.room_for(threads, rows_of_head)),
        rows_(heads_, texts[0].mechanism.lengths, room_, Seeds::lists * std::size_t(texts[0].mechanism.lengths.channels),
              texts[0].mechanism.transforms.tile_sums()) {
    for (index_t t = 0; t < threads; ++t)
      tiles_.emplace_back(texts[0].mechanism), scratch_.emplace_back(std::size_t(detail::room_of(texts[0].mechanism)));
  }

  // Moves on to the next key heads. Returns whether there are any.
  bool next() {
    if (!heads_.next(room_, rows_of_head)) return false;
    rows_.begin();
    step_items_.clear(), tile_items_.clear();
    for (index_t w = 0; w < heads_.size(); ++w) step_items_.add(w, {0, rows_.steps(w)}), tile_items_.add(w, {0, rows_.tiles(w)});
    step_items_.first_pieces_first();
    tile_items_.first_pieces_first();  // under a causal mask the most rows see the first keys
    return true;
  }

  index_t steps() const { return step_items_.count(); }
  index_t tiles() const { return tile_items_.count(); }

  void prepare(index_t item) {
    const auto [w, s] = step_items_[item];
    const Text& text = *heads_[w].text;
    const interval rows = rows_.rows_of(w, s);
    auto& own = rows_.step_of(w, s);
    own.rows.clear();
    own.rows.reserve(std::size_t(rows.size()));
    own.seen = {};
    std::fill(rows_.d_query(w, rows.first), rows_.d_query(w, rows.last), T(0));
    for (index_t row = rows.first; row < rows.last; ++row) {
      own.rows.emplace_back(text.mechanism, seeds_, heads_[w].query_head(row), heads_[w].query(row));
      detail::prepare_backward_row(own.rows.back(), text.mechanism, text.tensors, rows_.query(w, row), rows_.d_output(w, row));
      own.seen = hull(own.seen, own.rows.back().seen.hull());
    }
  }

  // One tile of keys.
  void attend(index_t thread, index_t item) {
    const auto [w, t] = tile_items_[item];
    const interval keys = rows_.keys_of(w, t);
    Tile& tile = tiles_[std::size_t(thread)];
    try {
      tile.begin(heads_[w], keys);
      for (index_t s = 0; s < rows_.steps(w); ++s) {
        auto& own = rows_.step_of(w, s);
        rows_.wait_for_tile_before(w, t, s);
        if constexpr (Row::takes)
          if (own.rows.front().logits.function.heads_add_up()) rows_.wait_for_heads_before(w, t, s);
        if (failed_) return rows_.pass_all();  // after what this item passed
        const index_t row = rows_.rows_of(w, s).first;
        if (!intersect(own.seen, keys).empty())
          tile.differentiate({std::span(own.rows), rows_.query(w, row), rows_.d_output(w, row), rows_.d_query(w, row),
                              rows_.depth(), rows_.width()});
        rows_.pass(w, t, s);
      }
      tile.finish(rows_.sums_of_tile(w, t));
      if constexpr (Row::takes) add_sums(tile, w, t);
    } catch (...) {
      failed_ = true;
      rows_.pass_all();
      throw;
    }
  }

  void finish(index_t thread, index_t item) {
    const auto [w, s] = step_items_[item];
    const Text& text = *heads_[w].text;
    index_t row = rows_.rows_of(w, s).first;
    for (Row& each : rows_.step_of(w, s).rows) {
      detail::finish_backward_row(each, text.mechanism, text.tensors, rows_.d_query(w, row), rows_.query(w, row),
                                  scratch_[std::size_t(thread)].data(), rows_.sums_of_step(w, s));
      ++row;
    }
  }

  // Hands over what transforms summed, and adds to d_parameters[number][head], and [number][channel] for row parts, which are the first
  // of them; a sink is the last.
  void add_parameters(std::span<std::vector<double>> d_parameters) {
    for (index_t w = 0; w < heads_.size(); ++w) {
      add_up_transforms(w);
      for (index_t s = 0; s < rows_.steps(w); ++s) add(rows_.sums_of_step(w, s), d_parameters);
      for (index_t t = 0; t < rows_.tiles(w); ++t) add(rows_.sums_of_tile(w, t), d_parameters);
      for (index_t s = 0; s < rows_.steps(w); ++s)
        for (const Row& row : rows_.step_of(w, s).rows) {
          const auto h = std::size_t(row.told.head);
          for (std::size_t p = 0; p < Seeds::count; ++p) d_parameters[Seeds::lists + p][h] += row.d_parameters[p];
          if (d_parameters.size() > Seeds::lists + Seeds::count)
            if (const auto sink = heads_[w].text->mechanism.sink_logit(row.told.head, row.query))
              if (const auto counted = T(*sink); counted != -std::numeric_limits<T>::infinity())
                d_parameters.back()[h] -= std::exp(double(counted) - double(row.log_sum_exp)) * double(row.mean);
        }
    }
  }

 private:
  // In the order of the tiles: the step behind the last is that of their sums.
  void add_sums(const Tile& tile, index_t w, index_t t) {
    rows_.wait_for_tile_before(w, t, rows_.steps(w));
    if (failed_) return;
    tile.add_sums(rows_.sums_of_tiles(w));
    rows_.pass(w, t, rows_.steps(w));
  }

  void add_up_transforms(index_t w) {
    const auto& transforms = heads_[w].text->mechanism.transforms;
    const index_t group = heads_[w].lengths().group();
    for (index_t h = 0; h < group; ++h)
      transforms.add_up(heads_[w].head * group + h, rows_.sums_of_tiles(w) + h * transforms.tile_sums());
  }

  static index_t rows_of_head(const key_head<Text>& head) { return head.rows(); }

  // A row of channels for every list of numbers.
  static void add(std::span<const double> sums, std::span<std::vector<double>> d_parameters) {
    auto from = sums.begin();
    for (std::size_t list = 0; list < Seeds::lists; ++list)
      for (double& channel : d_parameters[list]) channel += *from++;
  }

  wave<Text> heads_;
  const Seeds& seeds_;
  index_t room_;
  backward_rows<Text, Row> rows_;
  wave_items step_items_, tile_items_;
  buffer<Tile> tiles_;
  buffer<buffer<T>> scratch_;
  std::atomic<bool> failed_ = false;
};

// d_parameters: see add_parameters.
template <device D, class Text, class Seeds>
void differentiate(const D& d, std::span<const Text> texts, const Seeds& learned_numbers,
                   std::span<std::vector<double>> d_parameters) {
  if (texts.empty()) return;
  backward_wave<Text, Seeds> wave(texts, learned_numbers, detail::threads_of(d));
  while (wave.next()) {
    detail::for_each_item(d, wave.steps(), [&](index_t, index_t item) { wave.prepare(item); });
    detail::for_each_item(d, wave.tiles(), [&](index_t thread, index_t item) { wave.attend(thread, item); });
    detail::for_each_item(d, wave.steps(), [&](index_t thread, index_t item) { wave.finish(thread, item); });
    wave.add_parameters(d_parameters);
  }
}

}  // namespace detail
LONGSPAN_NAMESPACE_END

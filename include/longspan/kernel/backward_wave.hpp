#pragma once

#include <algorithm>
#include <atomic>
#include <cmath>
#include <limits>
#include <span>
#include <vector>

#include <longspan/core/device.hpp>
#include <longspan/core/interval.hpp>
#include <longspan/kernel/backward_block.hpp>
#include <longspan/kernel/backward_row.hpp>
#include <longspan/kernel/key_head.hpp>
#include <longspan/kernel/key_tile.hpp>
#include <longspan/kernel/wave.hpp>
#include <longspan/tile/buffer.hpp>
#include <longspan/tile/shape.hpp>

LONGSPAN_NAMESPACE_BEGIN
namespace detail {

// The backward pass of a wave of key heads (as many at once as take the memory of the one with the most rows for each thread: see
// prefill_wave), in three rounds of items for any number of threads. First the query rows are prepared. Then every tile of keys takes all
// rows past it, a step of them at a time, in the order of the rows; a step waits until the tile before has let it pass, so each row's
// gradient is summed in the order of the keys, whatever thread computes it. Last the rows' gradients are handed over.
template <class Text, class Seeds>
class backward_wave {
  using Mechanism = typename Text::mechanism_type;
  using T = typename Text::tensors_type::compute;
  using shape = tile_shape<T>;
  using Row = backward_row<T, Mechanism, Seeds>;
  using Tile = key_tile<Text, Row>;
  static constexpr index_t step_rows = backward_block<T, Row>::query_rows;

 public:
  backward_wave(std::span<const Text> texts, const Seeds& learned_numbers, index_t threads)
      : heads_(texts),
        seeds_(learned_numbers),
        depth_(round_up(texts[0].mechanism.lengths.channels, shape::lanes)),
        width_(round_up(texts[0].mechanism.lengths.value_channels, shape::lanes)) {
    index_t most = 0, heads = 0;
    for (const Text& each : texts)
      most = std::max(most, group_rows(each.mechanism.lengths)), heads += each.mechanism.lengths.key_heads;
    room_ = std::min(threads, heads) * most;
    query_.resize(std::size_t(room_ * depth_));
    d_query_.resize(query_.size());
    d_output_.resize(std::size_t(room_ * width_));
    for (index_t t = 0; t < threads; ++t)
      tiles_.emplace_back(texts[0].mechanism), room_of_.emplace_back(std::size_t(detail::room_of(texts[0].mechanism)));
  }

  // Moves on to the next key heads. Returns whether there are any.
  bool next() {
    if (!heads_.next(room_, [](const key_head<Text>& head) { return head.rows(); })) return false;
    own_.clear(), step_items_.clear(), tile_items_.clear();
    head_memory next;
    for (index_t w = 0; w < heads_.size(); ++w) {
      own_.push_back(next);
      step_items_.add(w, {0, steps(w)}), tile_items_.add(w, {0, tiles(w)});
      next.row += heads_[w].rows(), next.step += steps(w), next.tile += tiles(w);
    }
    step_items_.first_pieces_first();
    tile_items_.first_pieces_first();  // under a causal mask the most rows see the first keys
    steps_.resize(std::size_t(next.step));
    passed_ = std::vector<std::atomic<index_t>>(std::size_t(next.tile));
    return true;
  }

  index_t steps() const { return step_items_.count(); }
  index_t tiles() const { return tile_items_.count(); }

  void prepare(index_t item) {
    const auto [w, s] = step_items_[item];
    const Text& text = *heads_[w].text;
    step& own = step_of(w, s);
    own.rows.clear();
    own.rows.reserve(std::size_t(step_rows));
    own.seen = {};
    std::fill(d_query(w, rows_of(w, s).first), d_query(w, rows_of(w, s).last), T(0));
    for (index_t row = rows_of(w, s).first; row < rows_of(w, s).last; ++row) {
      own.rows.emplace_back(text.mechanism, seeds_, heads_[w].query_head(row), heads_[w].query(row));
      detail::prepare_backward_row(own.rows.back(), text.mechanism, text.tensors, query(w, row), d_output(w, row));
      own.seen = hull(own.seen, own.rows.back().seen.hull());
    }
  }

  // One tile of keys.
  void attend(index_t thread, index_t item) {
    const auto [w, t] = tile_items_[item];
    const interval keys{t * shape::backward_key_rows, std::min((t + 1) * shape::backward_key_rows, heads_[w].lengths().keys)};
    Tile& tile = tiles_[std::size_t(thread)];
    try {
      tile.begin(heads_[w], keys);
      for (index_t s = 0; s < steps(w); ++s) {
        if (t > 0) wait(passed(w, t - 1), s);
        if constexpr (Row::takes) wait_for_heads(w, t, s);
        if (failed_) return;
        step& own = step_of(w, s);
        const index_t row = rows_of(w, s).first;
        if (!intersect(own.seen, keys).empty())
          tile.differentiate({std::span(own.rows), query(w, row), d_output(w, row), d_query(w, row), depth_, width_});
        pass(passed(w, t), s + 1);
      }
      tile.finish();
    } catch (...) {
      failed_ = true;
      for (auto& each : passed_) pass(each, std::numeric_limits<index_t>::max());
      throw;
    }
  }

  void finish(index_t thread, index_t item) {
    const auto [w, s] = step_items_[item];
    const Text& text = *heads_[w].text;
    for (index_t row = rows_of(w, s).first; row < rows_of(w, s).last; ++row)
      detail::finish_backward_row(step_of(w, s).rows[std::size_t(row - rows_of(w, s).first)], text.mechanism, text.tensors,
                                  d_query(w, row), query(w, row), room_of_[std::size_t(thread)].data());
  }

  // Adds to d_parameters[number][head]; a sink is the last of them.
  void add_parameters(std::vector<std::vector<double>>& d_parameters) const {
    for (index_t w = 0; w < heads_.size(); ++w)
      for (index_t s = 0; s < steps(w); ++s)
        for (const Row& row : steps_[std::size_t(own_[std::size_t(w)].step + s)].rows) {
          const auto h = std::size_t(row.told.head);
          for (std::size_t p = 0; p < Seeds::count; ++p) d_parameters[p][h] += row.d_parameters[p];
          if (d_parameters.size() > Seeds::count)
            if (const auto sink = heads_[w].text->mechanism.sink_logit(row.told.head, row.query))
              d_parameters.back()[h] -= std::exp(*sink - double(row.log_sum_exp)) * double(row.mean);
        }
  }

 private:
  // Query rows that go past the keys together.
  struct step {
    buffer<Row> rows;
    interval seen;
  };
  // Where the rows, steps and tiles of a head begin among those of the wave.
  struct head_memory {
    index_t row = 0, step = 0, tile = 0;
  };

  index_t steps(index_t w) const { return round_up(heads_[w].rows(), step_rows) / step_rows; }
  index_t tiles(index_t w) const {
    return round_up(heads_[w].lengths().keys, shape::backward_key_rows) / shape::backward_key_rows;
  }
  interval rows_of(index_t w, index_t s) const { return {s * step_rows, std::min((s + 1) * step_rows, heads_[w].rows())}; }

  step& step_of(index_t w, index_t s) { return steps_[std::size_t(own_[std::size_t(w)].step + s)]; }
  T* query(index_t w, index_t row) { return query_.data() + (own_[std::size_t(w)].row + row) * depth_; }
  T* d_query(index_t w, index_t row) { return d_query_.data() + (own_[std::size_t(w)].row + row) * depth_; }
  T* d_output(index_t w, index_t row) { return d_output_.data() + (own_[std::size_t(w)].row + row) * width_; }
  std::atomic<index_t>& passed(index_t w, index_t t) { return passed_[std::size_t(own_[std::size_t(w)].tile + t)]; }

  // Where transforms take gradients, heads may add to the same numbers: those of a query and a key. A step waits until every head before has
  // let its queries pass this tile, so that heads add in order. Items are taken tile by tile, heads ascending: those heads have begun.
  void wait_for_heads(index_t w, index_t t, index_t s) {
    const index_t group = heads_[w].lengths().group(), rows = round_up(rows_of(w, s).last, group);
    for (index_t before = 0; before < w; ++before)
      if (t < tiles(before) && steps(before) > 0) wait(passed(before, t), std::min((rows - 1) / step_rows, steps(before) - 1));
  }

  static void wait(std::atomic<index_t>& steps, index_t beyond) {
    for (index_t now; (now = steps.load()) <= beyond;) steps.wait(now);
  }
  static void pass(std::atomic<index_t>& steps, index_t now) {
    steps.store(now);
    steps.notify_all();
  }

  wave<Text> heads_;
  const Seeds& seeds_;
  index_t depth_, width_, room_ = 0;
  buffer<head_memory> own_;
  wave_items step_items_, tile_items_;
  buffer<T> query_, d_query_, d_output_;
  std::vector<step> steps_;
  std::vector<std::atomic<index_t>> passed_;  // of each tile of keys, the steps that it has let pass
  buffer<Tile> tiles_;
  buffer<buffer<T>> room_of_;
  std::atomic<bool> failed_ = false;
};

// d_parameters: see add_parameters.
template <device D, class Text, class Seeds>
void differentiate(const D& d, std::span<const Text> texts, const Seeds& learned_numbers,
                   std::vector<std::vector<double>>& d_parameters) {
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

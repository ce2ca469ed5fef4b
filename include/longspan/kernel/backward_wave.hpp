#pragma once

#include <algorithm>
#include <atomic>
#include <cmath>
#include <span>
#include <vector>

#include <longspan/core/device.hpp>
#include <longspan/core/interval.hpp>
#include <longspan/kernel/backward_block.hpp>
#include <longspan/kernel/backward_row.hpp>
#include <longspan/kernel/key_head.hpp>
#include <longspan/kernel/key_tile.hpp>
#include <longspan/tile/buffer.hpp>
#include <longspan/tile/shape.hpp>

LONGSPAN_NAMESPACE_BEGIN
namespace detail {

// The backward pass of a wave of key heads (as many at once as there are threads: see prefill_wave), in three rounds of items for any
// number of threads. First the query rows are prepared. Then every tile of keys takes all rows past it, a step of them at a time, in the
// order of the rows; a step waits until the tile before has let it pass, so each row's gradient is summed in the order of the keys,
// whatever thread computes it. Last the rows' gradients are handed over.
template <class Mechanism, class Seeds, class Tensors>
class backward_wave {
  using T = typename Tensors::compute;
  using shape = tile_shape<T>;
  using Row = backward_row<T, Mechanism, Seeds>;
  using Tile = key_tile<typename Tensors::words, Mechanism, Row>;
  static constexpr index_t step_rows = backward_block<T, Row>::query_rows;

 public:
  backward_wave(const Mechanism& mechanism, const Seeds& learned_numbers, const Tensors& tensors, index_t heads_at_once,
                index_t threads)
      : mechanism_(mechanism),
        seeds_(learned_numbers),
        tensors_(tensors),
        rows_(key_head::rows(mechanism.lengths)),
        depth_(round_up(mechanism.lengths.channels, shape::lanes)),
        width_(round_up(mechanism.lengths.value_channels, shape::lanes)),
        query_(std::size_t(heads_at_once * rows_ * depth_)),
        d_query_(query_.size()),
        d_output_(std::size_t(heads_at_once * rows_ * width_)),
        steps_(std::size_t(heads_at_once * steps_of_head())),
        passed_(std::size_t(heads_at_once * tiles_of_head())) {
    for (index_t t = 0; t < threads; ++t)
      tiles_.emplace_back(mechanism), room_.emplace_back(std::size_t(detail::room_of(mechanism)));
  }

  // Moves on to `count` key heads from `first`, counted through the batch.
  void begin(index_t first, index_t count) {
    first_ = first, count_ = count;
    for (auto& each : passed_) each = 0;
  }

  index_t steps() const { return count_ * steps_of_head(); }
  index_t tiles() const { return count_ * tiles_of_head(); }

  void prepare(index_t item) {
    const index_t w = item % count_, s = item / count_;
    step& own = step_of(w, s);
    own.rows.clear();
    own.rows.reserve(std::size_t(step_rows));
    own.seen = {};
    std::fill(d_query(w, rows_of(s).first), d_query(w, rows_of(s).last), T(0));
    for (index_t row = rows_of(s).first; row < rows_of(s).last; ++row) {
      const index_t h = head(w).query_head(mechanism_.lengths, row), i = key_head::query(mechanism_.lengths, row);
      own.rows.emplace_back(mechanism_, seeds_, head(w).batch, h, i);
      detail::prepare_backward_row(own.rows.back(), mechanism_, tensors_, query(w, row), d_output(w, row));
      own.seen = hull(own.seen, own.rows.back().seen.hull());
    }
  }

  // One tile of keys. The first keys come first: under a causal mask the most rows see them.
  void attend(index_t thread, index_t item) {
    const index_t w = item % count_, t = item / count_;
    const interval keys{t * shape::backward_key_rows, std::min((t + 1) * shape::backward_key_rows, mechanism_.lengths.keys)};
    const key_head of = head(w);
    Tile& tile = tiles_[std::size_t(thread)];
    try {
      tile.begin(tensors_.key.head(of.batch, of.head), tensors_.value.head(of.batch, of.head), keys);
      for (index_t s = 0; s < steps_of_head(); ++s) {
        if (t > 0) wait(passed(w, t - 1), s);
        if (failed_) return;
        step& own = step_of(w, s);
        const index_t row = rows_of(s).first;
        if (!intersect(own.seen, keys).empty())
          tile.differentiate({std::span(own.rows), query(w, row), d_output(w, row), d_query(w, row), depth_, width_});
        pass(passed(w, t), s + 1);
      }
      tile.finish(tensors_.key.head(of.batch, of.head), tensors_.d_key.head(of.batch, of.head),
                  tensors_.d_value.head(of.batch, of.head));
    } catch (...) {
      failed_ = true;
      for (auto& each : passed_) pass(each, steps_of_head());
      throw;
    }
  }

  void finish(index_t thread, index_t item) {
    const index_t w = item % count_, s = item / count_;
    for (index_t row = rows_of(s).first; row < rows_of(s).last; ++row)
      detail::finish_backward_row(step_of(w, s).rows[std::size_t(row - rows_of(s).first)], mechanism_, tensors_, d_query(w, row),
                                  query(w, row), room_[std::size_t(thread)].data());
  }

  // Adds to d_parameters[number][head]; a sink is the last of them.
  void add_parameters(std::vector<std::vector<double>>& d_parameters) const {
    for (index_t w = 0; w < count_; ++w)
      for (index_t s = 0; s < steps_of_head(); ++s)
        for (const Row& row : steps_[std::size_t(w * steps_of_head() + s)].rows) {
          const auto h = std::size_t(row.told.head);
          for (std::size_t p = 0; p < Seeds::count; ++p) d_parameters[p][h] += row.d_parameters[p];
          if (d_parameters.size() > Seeds::count && row.told.seen > 0)
            if (const auto sink = mechanism_.sink_logit(row.told.head))
              d_parameters.back()[h] -= std::exp(*sink - double(row.log_sum_exp)) * double(row.mean);
        }
  }

 private:
  // Query rows that go past the keys together.
  struct step {
    buffer<Row> rows;
    interval seen;
  };

  key_head head(index_t w) const { return key_head::nth(mechanism_.lengths, first_ + w); }
  index_t steps_of_head() const { return round_up(rows_, step_rows) / step_rows; }
  index_t tiles_of_head() const { return round_up(mechanism_.lengths.keys, shape::backward_key_rows) / shape::backward_key_rows; }
  interval rows_of(index_t s) const { return {s * step_rows, std::min((s + 1) * step_rows, rows_)}; }

  step& step_of(index_t w, index_t s) { return steps_[std::size_t(w * steps_of_head() + s)]; }
  T* query(index_t w, index_t row) { return query_.data() + (w * rows_ + row) * depth_; }
  T* d_query(index_t w, index_t row) { return d_query_.data() + (w * rows_ + row) * depth_; }
  T* d_output(index_t w, index_t row) { return d_output_.data() + (w * rows_ + row) * width_; }
  std::atomic<index_t>& passed(index_t w, index_t t) { return passed_[std::size_t(w * tiles_of_head() + t)]; }

  static void wait(std::atomic<index_t>& steps, index_t beyond) {
    for (index_t now; (now = steps.load()) <= beyond;) steps.wait(now);
  }
  static void pass(std::atomic<index_t>& steps, index_t now) {
    steps.store(now);
    steps.notify_all();
  }

  const Mechanism& mechanism_;
  const Seeds& seeds_;
  const Tensors& tensors_;
  index_t rows_, depth_, width_;
  buffer<T> query_, d_query_, d_output_;
  std::vector<step> steps_;
  std::vector<std::atomic<index_t>> passed_;  // of each tile of keys, the steps that it has let pass
  buffer<Tile> tiles_;
  buffer<buffer<T>> room_;
  std::atomic<bool> failed_ = false;
  index_t first_ = 0, count_ = 0;
};

// One head at a time for each thread. d_parameters: see add_parameters.
template <device D, class Mechanism, class Seeds, class Tensors>
void differentiate(const D& d, const Mechanism& mechanism, const Seeds& learned_numbers, const Tensors& tensors,
                   std::vector<std::vector<double>>& d_parameters) {
  const index_t heads = mechanism.lengths.batch * mechanism.lengths.key_heads, at_once = std::min(heads, detail::threads_of(d));
  backward_wave wave(mechanism, learned_numbers, tensors, at_once, detail::threads_of(d));
  for (index_t first = 0; first < heads; first += at_once) {
    wave.begin(first, std::min(at_once, heads - first));
    detail::for_each_item(d, wave.steps(), [&](index_t, index_t item) { wave.prepare(item); });
    detail::for_each_item(d, wave.tiles(), [&](index_t thread, index_t item) { wave.attend(thread, item); });
    detail::for_each_item(d, wave.steps(), [&](index_t thread, index_t item) { wave.finish(thread, item); });
    wave.add_parameters(d_parameters);
  }
}

}  // namespace detail
LONGSPAN_NAMESPACE_END

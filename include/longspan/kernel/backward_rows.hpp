#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <limits>
#include <span>
#include <vector>

#include <longspan/core/interval.hpp>
#include <longspan/kernel/key_head.hpp>
#include <longspan/kernel/wave.hpp>
#include <longspan/tile/buffer.hpp>
#include <longspan/tile/shape.hpp>

LONGSPAN_NAMESPACE_BEGIN
namespace detail {

// The query rows of a wave of key heads in the backward pass: what is prepared and summed of them, and how far each step of rows has got
// past the tiles of keys. Heads are numbered in the wave; rows, steps and tiles in their head.
template <class Text, class Row>
class backward_rows {
  using T = typename Text::tensors_type::compute;
  using shape = tile_shape<T>;
  static constexpr index_t step_rows = shape::backward_query_rows;

 public:
  // Query rows that go past the keys together.
  struct step {
    buffer<Row> rows;
    interval seen;
  };

  // For waves of at most `room` rows. `learned` numbers of row parts are summed for each step and each tile, `tile_sums` of transforms for
  // each head.
  backward_rows(const wave<Text>& heads, const shapes& lengths, index_t room, std::size_t learned, index_t tile_sums)
      : heads_(heads),
        learned_(learned),
        tile_sums_(tile_sums * lengths.group()),
        depth_(round_up(lengths.channels, shape::lanes)),
        width_(round_up(lengths.value_channels, shape::lanes)),
        query_(std::size_t(room * depth_)),
        d_query_(query_.size()),
        d_output_(std::size_t(room * width_)) {}

  // How far rows of queries and of outputs stand apart.
  index_t depth() const { return depth_; }
  index_t width() const { return width_; }

  // Makes room for the heads of the wave as it is now.
  void begin() {
    own_.clear();
    of_head next;
    for (index_t w = 0; w < heads_.size(); ++w) {
      own_.push_back(next);
      next.row += heads_[w].rows(), next.step += steps(w), next.tile += tiles(w);
    }
    steps_.resize(std::size_t(next.step));
    passed_ = std::vector<std::atomic<index_t>>(std::size_t(next.tile));
    sums_.assign(std::size_t(next.step + next.tile) * learned_, 0.0);
    sums_of_tiles_.assign(std::size_t(heads_.size() * tile_sums_), 0.0);
  }

  index_t steps(index_t w) const { return round_up(heads_[w].rows(), step_rows) / step_rows; }
  index_t tiles(index_t w) const {
    return round_up(heads_[w].lengths().keys, shape::backward_key_rows) / shape::backward_key_rows;
  }
  interval rows_of(index_t w, index_t s) const { return {s * step_rows, std::min((s + 1) * step_rows, heads_[w].rows())}; }
  interval keys_of(index_t w, index_t t) const {
    return {t * shape::backward_key_rows, std::min((t + 1) * shape::backward_key_rows, heads_[w].lengths().keys)};
  }

  step& step_of(index_t w, index_t s) { return steps_[std::size_t(own_[std::size_t(w)].step + s)]; }
  T* query(index_t w, index_t row) { return query_.data() + (own_[std::size_t(w)].row + row) * depth_; }
  T* d_query(index_t w, index_t row) { return d_query_.data() + (own_[std::size_t(w)].row + row) * depth_; }
  T* d_output(index_t w, index_t row) { return d_output_.data() + (own_[std::size_t(w)].row + row) * width_; }

  // What row parts learn from the rows of one step, and from the keys of one tile.
  std::span<double> sums_of_step(index_t w, index_t s) { return sums(own_[std::size_t(w)].step + own_[std::size_t(w)].tile + s); }
  std::span<double> sums_of_tile(index_t w, index_t t) {
    return sums(own_[std::size_t(w)].step + own_[std::size_t(w)].tile + steps(w) + t);
  }

  // What transforms sum over all tiles of a key head, query head by query head.
  double* sums_of_tiles(index_t w) { return sums_of_tiles_.data() + w * tile_sums_; }

  // Tile t of keys lets step s pass. The next tile waits until the step has passed the tile before, so that each row's gradient is summed
  // in the order of the keys.
  void pass(index_t w, index_t t, index_t s) { pass(passed(w, t), s + 1); }
  void wait_for_tile_before(index_t w, index_t t, index_t s) {
    if (t > 0) wait(passed(w, t - 1), s);
  }
  // Where transforms take gradients, heads may add to the same numbers: those of a query and a key. A step waits until every head before
  // has let its queries pass this tile, so that heads add in order. Items are taken tile by tile, heads ascending: those heads have begun.
  void wait_for_heads_before(index_t w, index_t t, index_t s) {
    const index_t rows = round_up(rows_of(w, s).last, heads_[w].lengths().group());
    for (index_t before = 0; before < w; ++before)
      if (t < tiles(before) && steps(before) > 0) wait(passed(before, t), std::min((rows - 1) / step_rows, steps(before) - 1));
  }
  // After a failure nobody waits any more.
  void pass_all() {
    for (auto& each : passed_) pass(each, std::numeric_limits<index_t>::max());
  }

 private:
  // Where the rows, steps and tiles of a head begin among those of the wave.
  struct of_head {
    index_t row = 0, step = 0, tile = 0;
  };

  std::span<double> sums(index_t n) { return std::span(sums_).subspan(std::size_t(n) * learned_, learned_); }
  std::atomic<index_t>& passed(index_t w, index_t t) { return passed_[std::size_t(own_[std::size_t(w)].tile + t)]; }
  static void wait(std::atomic<index_t>& steps, index_t beyond) {
    for (index_t now; (now = steps.load()) <= beyond;) steps.wait(now);
  }
  static void pass(std::atomic<index_t>& steps, index_t now) {
    steps.store(now);
    steps.notify_all();
  }

  const wave<Text>& heads_;
  std::size_t learned_;
  index_t tile_sums_, depth_, width_;
  buffer<T> query_, d_query_, d_output_;
  buffer<of_head> own_;
  std::vector<step> steps_;
  std::vector<std::atomic<index_t>> passed_;  // of each tile of keys, the steps that it has let pass
  std::vector<double> sums_;
  buffer<double> sums_of_tiles_;
};

}  // namespace detail
LONGSPAN_NAMESPACE_END

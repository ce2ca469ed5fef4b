#pragma once

#include <algorithm>
#include <span>
#include <type_traits>
#include <utility>
#include <vector>

#include <longspan/core/interval.hpp>
#include <longspan/core/query_row.hpp>
#include <longspan/core/shapes.hpp>
#include <longspan/kernel/forward_tile.hpp>
#include <longspan/kernel/head_operands.hpp>
#include <longspan/tensor/view.hpp>
#include <longspan/tile/buffer.hpp>
#include <longspan/tile/shape.hpp>

namespace longspan::inline LONGSPAN_ISA {

// Inputs and results of one call, each in its own storage type; T computes.
template <class T, class Q, class K, class V, class Out>
struct forward_call {
  using compute = T;
  view<const Q> query;
  view<const K> key;
  view<const V> value;
  view<Out> output;
  view<T> log_sum_exp;
};

// The forward pass of a wave of key heads, as independent items of work for any number of threads: first every panel of keys is
// prepared, then every tile of query rows attends. Query heads that share a key head share its tiles; their rows follow each other
// position by position, so that the tile's edge along a causal mask is as narrow as can be.
template <class Mechanism, class Call>
class forward_wave {
  using T = typename Call::compute;
  using shape = tile_shape<T>;

 public:
  forward_wave(const Mechanism& mechanism, const Call& call, index_t heads_at_once, index_t threads)
      : mechanism_(mechanism),
        call_(call),
        in_place_(head_operands<T>::readable(call.value)),
        value_stride_(in_place_ ? call.value.stride[2] : round_up(mechanism.call.value_channels, shape::lanes)),
        keys_(std::size_t(heads_at_once * key_size())),
        values_(std::size_t(in_place_ ? 0 : heads_at_once * mechanism.call.keys * value_stride_)),
        rows_(std::size_t(threads), buffer<T>(std::size_t(shape::panel * round_up(mechanism.call.channels, shape::lanes)))) {
    for (index_t t = 0; t < threads; ++t) tiles_.emplace_back(mechanism);
  }

  // Moves on to `count` key heads from `first`, counted through the batch.
  void begin(index_t first, index_t count) {
    first_ = first, count_ = count;
    needed_.clear();
    for (index_t w = 0; w < count; ++w) needed_.push_back(seen_keys(head(w)));
  }

  index_t panels() const { return count_ * (round_up(mechanism_.call.keys, shape::panel) / shape::panel); }
  index_t tiles() const { return count_ * tiles_of_head(); }

  // A panel that no row sees stays unread: decoding with a window does not pay for the keys behind it.
  void prepare(index_t thread, index_t item) {
    const auto [b, g] = head(item % count_);
    const index_t first = item / count_ * shape::panel;
    if (hull(intersect(needed_[std::size_t(item % count_)], {first, first + shape::panel})).empty()) return;
    prepare_panel(mechanism_, call_.key.head(b, g), call_.value.head(b, g), operands(item % count_), first,
                  std::span(rows_[std::size_t(thread)]));
  }

  // Tiles come last rows first: under a causal mask they see the most keys, and the small ones fill the threads' last gaps.
  void attend(index_t thread, index_t item) {
    const auto [b, g] = head(item % count_);
    const index_t group = mechanism_.call.group(), rows = mechanism_.call.queries * group;
    const index_t first = (tiles_of_head() - 1 - item / count_) * shape::query_rows, last = std::min(first + shape::query_rows, rows);
    auto& tile = tiles_[std::size_t(thread)];
    tile.clear();
    for (index_t row = first; row < last; ++row) {
      const index_t h = g * group + row % group;
      tile.add(call_.query.head(b, h), b, h, row / group);
    }
    tile.attend(operands(item % count_));
    for (index_t row = first; row < last; ++row) {
      const index_t h = g * group + row % group, i = row / group;
      tile.finish(row - first, call_.output.head(b, h).row(i), call_.output.stride[3], call_.log_sum_exp.head(b, h).row(i));
    }
  }

 private:
  struct key_head {
    index_t batch, head;
  };

  using runs = decltype(std::declval<const Mechanism&>().visible(query_row{}));

  // Run by run, the hull of what the rows of a key head see, counted from the first key of the call.
  runs seen_keys(key_head of) const {
    runs all{};
    const shapes& call = mechanism_.call;
    for (index_t h = of.head * call.group(); h < (of.head + 1) * call.group(); ++h)
      for (index_t i = 0; i < call.queries; ++i) {
        const runs seen = intersect(mechanism_.visible(mechanism_.row(of.batch, h, i)), call.key_positions());
        for (std::size_t r = 0; r < seen.size(); ++r) all[r] = hull(all[r], seen[r]);
      }
    for (interval& run : all) run = {run.first - call.first_key, run.last - call.first_key};
    return all;
  }

  key_head head(index_t w) const { return {(first_ + w) / mechanism_.call.key_heads, (first_ + w) % mechanism_.call.key_heads}; }

  head_operands<T> operands(index_t w) {
    T* const keys = keys_.data() + w * key_size();
    if constexpr (std::is_same_v<const T*, decltype(call_.value.data)>)
      if (in_place_) {
        const auto [b, g] = head(w);
        return {keys, nullptr, call_.value.head(b, g).data, value_stride_};
      }
    T* const values = values_.data() + w * mechanism_.call.keys * value_stride_;
    return {keys, values, values, value_stride_};
  }

  index_t key_size() const { return head_operands<T>::key_size(mechanism_.call.keys, mechanism_.call.channels); }
  index_t tiles_of_head() const {
    return round_up(mechanism_.call.queries * mechanism_.call.group(), shape::query_rows) / shape::query_rows;
  }

  const Mechanism& mechanism_;
  const Call& call_;
  bool in_place_;
  index_t value_stride_;
  buffer<T> keys_, values_;
  std::vector<buffer<T>> rows_;
  std::vector<forward_tile<T, Mechanism>> tiles_;
  std::vector<runs> needed_;  // by each head of the wave
  index_t first_ = 0, count_ = 0;
};

}  // namespace longspan::inline LONGSPAN_ISA

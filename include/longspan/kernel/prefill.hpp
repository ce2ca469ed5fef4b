#pragma once

#include <algorithm>
#include <type_traits>
#include <utility>

#include <longspan/core/device.hpp>
#include <longspan/core/interval.hpp>
#include <longspan/core/query_row.hpp>
#include <longspan/core/shapes.hpp>
#include <longspan/kernel/forward_call.hpp>
#include <longspan/kernel/forward_tile.hpp>
#include <longspan/kernel/packed_keys.hpp>
#include <longspan/kernel/streamed_keys.hpp>
#include <longspan/kernel/values.hpp>
#include <longspan/tile/buffer.hpp>
#include <longspan/tile/read_ahead.hpp>
#include <longspan/tile/shape.hpp>

LONGSPAN_NAMESPACE_BEGIN

// The forward pass of a wave of key heads with many query rows, as independent items of work for any number of threads: first every
// panel of keys is prepared, then every tile of query rows attends. Query heads that share a key head share its tiles; their rows
// follow each other position by position, so that the tile's edge along a causal mask is as narrow as can be.
template <class Mechanism, class Call>
class prefill_wave {
  using Words = typename Call::words;
  using T = typename Words::compute;
  using shape = tile_shape<T>;

 public:
  prefill_wave(const Mechanism& mechanism, const Call& call, index_t heads_at_once, index_t threads)
      : mechanism_(mechanism),
        call_(call),
        in_place_(values<Words>::in_place(call.value.head(0, 0))),
        depth_(words_for<Words>(mechanism.call.channels)),
        value_stride_(in_place_ ? call.value.stride[2] : round_up(mechanism.call.value_channels, shape::lanes)),
        keys_(std::size_t(heads_at_once * key_size())),
        values_(std::size_t(in_place_ ? 0 : heads_at_once * value_size())) {
    const index_t scratch = std::max(shape::panel * padded_words_for<Words>(mechanism.call.channels) * Words::per_word,
                                     values<Words>::scratch(in_place_ ? 0 : value_stride_));
    for (index_t t = 0; t < threads; ++t)
      tiles_.emplace_back(mechanism, shape::block::rows), scratch_.emplace_back(std::size_t(scratch));
  }

  // Moves on to `count` key heads from `first`, counted through the batch.
  void begin(index_t first, index_t count) {
    first_ = first, count_ = count;
    needed_.clear();
    for (index_t w = 0; w < count; ++w) needed_.push_back(seen_keys(mechanism_, head(w)));
  }

  index_t panels() const { return count_ * (round_up(mechanism_.call.keys, shape::panel) / shape::panel); }
  index_t tiles() const { return count_ * tiles_of_head(); }

  // A panel that no row sees stays unread.
  void prepare(index_t thread, index_t item) {
    const auto [b, g] = head(item % count_);
    const index_t first = item / count_ * shape::panel, last = std::min(first + shape::panel, mechanism_.call.keys);
    if (hull(intersect(needed_[std::size_t(item % count_)], {first, last})).empty()) return;
    T* const scratch = scratch_[std::size_t(thread)].data();
    keys(item % count_).pack(mechanism_, call_.key.head(b, g), first, scratch, nothing_ahead{});
    if (in_place_) return;
    for (index_t j = first; j < last; j += Words::per_word)
      values<Words>::pack(call_.value.head(b, g), j, packed_values(item % count_) + j / Words::per_word * value_stride_,
                          value_stride_, scratch);
  }

  // Tiles come last rows first: under a causal mask they see the most keys, and the small ones fill the threads' last gaps.
  void attend(index_t thread, index_t item) {
    const key_head of = head(item % count_);
    const index_t rows = mechanism_.call.queries * mechanism_.call.group();
    const index_t first = (tiles_of_head() - 1 - item / count_) * shape::query_rows,
                  last = std::min(first + shape::query_rows, rows);
    auto& tile = tiles_[std::size_t(thread)];
    tile.clear();
    for (index_t row = first; row < last; ++row) add_row(tile, call_, mechanism_.call, of, row);
    const head_keys<Words, Mechanism, typename Call::key_number> panels{keys(item % count_), {mechanism_, {}, nullptr, {}}};
    tile.attend(panels, value_rows(item % count_));
    for (index_t row = first; row < last; ++row) finish_row(tile, row - first, call_, mechanism_.call, of, row);
  }

 private:
  using runs = decltype(std::declval<const Mechanism&>().visible(query_row{}));

  key_head head(index_t w) const { return key_head::nth(mechanism_.call, first_ + w); }

  packed_keys<Words> keys(index_t w) { return {keys_.data() + w * key_size(), depth_}; }
  T* packed_values(index_t w) { return values_.data() + w * value_size(); }
  values<Words> value_rows(index_t w) {
    if constexpr (std::is_same_v<const T*, decltype(call_.value.data)>)
      if (in_place_) return {call_.value.head(head(w).batch, head(w).head).data, value_stride_};
    return {packed_values(w), value_stride_};
  }

  index_t key_size() const { return packed_keys<Words>::size(mechanism_.call.keys, depth_); }
  index_t value_size() const { return values<Words>::size(mechanism_.call.keys, value_stride_); }
  index_t tiles_of_head() const {
    return round_up(mechanism_.call.queries * mechanism_.call.group(), shape::query_rows) / shape::query_rows;
  }

  const Mechanism& mechanism_;
  const Call& call_;
  bool in_place_;
  index_t depth_, value_stride_;
  buffer<T> keys_, values_;
  buffer<buffer<T>> scratch_;
  buffer<forward_tile<Words, Mechanism>> tiles_;
  buffer<runs> needed_;  // by each head of the wave
  index_t first_ = 0, count_ = 0;
};

// The forward pass of a call whose keys are read by many query rows. One head at a time for each thread: the next one's keys are packed
// into the memory of the last.
template <device D, class Mechanism, class Call>
void prefill(const D& d, const Mechanism& mechanism, const Call& call) {
  const index_t heads = mechanism.call.batch * mechanism.call.key_heads, at_once = std::min(heads, threads_of(d));
  prefill_wave wave(mechanism, call, at_once, threads_of(d));
  for (index_t first = 0; first < heads; first += at_once) {
    wave.begin(first, std::min(at_once, heads - first));
    for_each_item(d, wave.panels(), [&](index_t thread, index_t item) { wave.prepare(thread, item); });
    for_each_item(d, wave.tiles(), [&](index_t thread, index_t item) { wave.attend(thread, item); });
  }
}

LONGSPAN_NAMESPACE_END

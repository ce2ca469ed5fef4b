#pragma once

#include <algorithm>
#include <cstdint>
#include <type_traits>
#include <utility>

#include <longspan/core/device.hpp>
#include <longspan/core/interval.hpp>
#include <longspan/kernel/forward_call.hpp>
#include <longspan/kernel/forward_tile.hpp>
#include <longspan/kernel/packed_keys.hpp>
#include <longspan/kernel/streamed_keys.hpp>
#include <longspan/kernel/values.hpp>
#include <longspan/softmax/online_softmax.hpp>
#include <longspan/tile/buffer.hpp>
#include <longspan/tile/read_ahead.hpp>
#include <longspan/tile/shape.hpp>

LONGSPAN_NAMESPACE_BEGIN

// The forward pass of a wave of key heads with few query rows, as when decoding: what it takes is to read keys and values, so each is
// read once for the whole group of heads, and the tiles of keys are the items of work. First every tile is attended to, then the parts
// of every key head are merged, in the order in which a prefill merges them.
template <class Mechanism, class Call>
class decode_wave {
  using Words = typename Call::words;
  using T = typename Words::compute;
  using shape = tile_shape<T>;
  using Tile = forward_tile<Words, Mechanism>;
  using Keys = head_keys<Words, Mechanism, typename Call::key_number>;

 public:
  // Of one key head; at least one, for the sake of division.
  static index_t bytes_of_parts(const shapes& call) {
    const index_t row = round_up(call.value_channels, shape::lanes) * index_t(sizeof(T)) + index_t(sizeof(softmax_part<T>));
    return 1 + row * call.queries * call.group() * tiles_of(call);
  }

  decode_wave(const Mechanism& mechanism, const Call& call, index_t heads_at_once, index_t threads)
      : mechanism_(mechanism),
        call_(call),
        in_place_(values<Words>::in_place(call.value.head(0, 0))),
        rows_(mechanism.call.queries * mechanism.call.group()),
        key_rows_(tile_keys<Words>(mechanism.call)),
        depth_(words_for<Words>(mechanism.call.channels)),
        width_(round_up(mechanism.call.value_channels, shape::lanes)),
        parts_(std::size_t(heads_at_once * tiles_of(mechanism.call) * rows_)),
        outputs_(parts_.size() * std::size_t(width_)) {
    for (index_t t = 0; t < threads; ++t) workers_.emplace_back(*this);
  }

  void begin(index_t first, index_t count) {
    first_ = first, count_ = count;
    needed_.clear();
    for (index_t w = 0; w < count; ++w) needed_.push_back(seen_keys(mechanism_, head(w)));
  }

  index_t tiles() const { return count_ * tiles_of(mechanism_.call); }
  index_t merges() const { return count_; }

  // A tile that no row sees stays unread: a window does not pay for the keys before it.
  void attend(index_t thread, index_t item) {
    const interval seen = seen_keys_of(item);
    if (seen.empty()) return;
    const index_t w = head_of(item), first = keys_of(item).first;
    const key_head of = head(w);
    const auto keys = call_.key.head(of.batch, of.head);
    worker& own = workers_[std::size_t(thread)];
    begin(own.tile, of);
    const auto deliver = [&](index_t r, const softmax_part<T>& part, const T* output) {
      parts_[std::size_t(slot(w, first, r))] = part;
      std::copy(output, output + width_, outputs_.data() + slot(w, first, r) * width_);
    };
    own.ahead = ahead_of(item);
    own.ahead.ask(shape::asked_ahead(keys.channels * index_t(sizeof(*keys.data))));
    Keys rows{{nullptr, depth_}, {mechanism_, keys, own.scratch.data(), &own.ahead}};
    if (!streams()) {
      rows.packed.panels = own.panels.data() - first * depth_;
      for (index_t j = round_down(seen.first, shape::panel); j < seen.last; j += shape::panel)
        rows.packed.pack(mechanism_, keys, j, own.scratch.data(), own.ahead);
    }
    own.tile.attend(rows, value_rows(own, call_.value.head(of.batch, of.head), seen), first, deliver);
  }

  void merge(index_t thread, index_t w) {
    auto& tile = workers_[std::size_t(thread)].tile;
    begin(tile, head(w));
    for (index_t first = 0; first < mechanism_.call.keys; first += key_rows_)
      for (index_t r = 0; r < rows_; ++r)
        if (tile.sees(r, first))
          tile.merge(r, parts_[std::size_t(slot(w, first, r))], outputs_.data() + slot(w, first, r) * width_);
    for (index_t r = 0; r < rows_; ++r) finish_row(tile, r, call_, mechanism_.call, head(w), r);
  }

 private:
  // What a thread works in.
  struct worker {
    Tile tile;
    buffer<T> scratch, panels, values;
    read_ahead ahead;

    explicit worker(const decode_wave& wave)
        : tile(wave.mechanism_, wave.streams() ? shape::streamed_rows : shape::block::rows),
          scratch(std::size_t(std::max(shape::panel * padded_words_for<Words>(wave.mechanism_.call.channels) * Words::per_word,
                                       longspan::values<Words>::scratch(wave.width_)))),
          panels(std::size_t(wave.streams() ? 0 : wave.key_rows_ * wave.depth_)),
          values(std::size_t(wave.in_place_ ? 0 : wave.key_rows_ * wave.width_)) {}
  };

  static index_t tiles_of(const shapes& call) { return round_up(call.keys, tile_keys<Words>(call)) / tile_keys<Words>(call); }
  // Whether few enough rows share a key to multiply it as it comes from memory.
  bool streams() const { return rows_ <= shape::streamed_rows; }
  key_head head(index_t w) const { return key_head::nth(mechanism_.call, first_ + w); }
  index_t slot(index_t w, index_t first, index_t r) const {
    return (w * tiles_of(mechanism_.call) + first / key_rows_) * rows_ + r;
  }

  // Tiles follow each other as they lie in memory: head by head. The head of one, its keys, and the hull of those that some row sees.
  index_t head_of(index_t item) const { return item / tiles_of(mechanism_.call); }
  interval keys_of(index_t item) const {
    const index_t first = item % tiles_of(mechanism_.call) * key_rows_;
    return {first, std::min(first + key_rows_, mechanism_.call.keys)};
  }
  interval seen_keys_of(index_t item) const { return hull(intersect(needed_[std::size_t(head_of(item))], keys_of(item))); }

  template <class S>
  static memory_rows in_memory(const head_view<const S>& of, interval tokens) {
    if (of.channel_stride != 1) return {};
    return {reinterpret_cast<std::intptr_t>(of.row(tokens.first)), tokens.size() > 1 ? of.token_stride * index_t(sizeof(S)) : 0,
            of.channels * index_t(sizeof(S)), tokens.size()};
  }
  // What a tile reads, in the order in which it does: values that are packed come before keys that are not. After it, what the thread
  // most likely reads next, that of the first item that no other has taken; not where many rows read the tile more than once.
  read_ahead ahead_of(index_t item) const {
    const auto rows_of = [&](const auto& tensor, index_t i) {
      if (i >= tiles()) return memory_rows{};
      const key_head of = head(head_of(i));
      return in_memory(tensor.head(of.batch, of.head), seen_keys_of(i));
    };
    const auto in_turn = [&](const auto& one, const auto& other) {
      return read_ahead(rows_of(one, item), rows_of(other, item),
                        rows_of(one, streams() ? item + index_t(workers_.size()) : tiles()));
    };
    return streams() && !in_place_ ? in_turn(call_.value, call_.key) : in_turn(call_.key, call_.value);
  }

  void begin(Tile& tile, key_head of) {
    tile.clear();
    for (index_t row = 0; row < rows_; ++row) add_row(tile, call_, mechanism_.call, of, row);
  }

  // Values where they lie, else some of the tile packed in memory of the thread's.
  template <class S>
  values<Words> value_rows(worker& own, const head_view<const S>& tensor, interval keys) {
    if constexpr (std::is_same_v<S, T>)
      if (in_place_) return {tensor.data, tensor.token_stride, &own.ahead};
    const index_t first = round_down(keys.first, Words::per_word);
    const values<Words> rows{own.values.data() - first / Words::per_word * width_, width_};
    for (index_t j = first; j < keys.last; j += Words::per_word) {
      own.ahead.ask(Words::per_word * tensor.channels * index_t(sizeof(S)));
      values<Words>::pack(tensor, j, const_cast<T*>(rows.row(j)), width_, own.scratch.data());
    }
    return rows;
  }

  const Mechanism& mechanism_;
  const Call& call_;
  bool in_place_;
  index_t rows_, key_rows_, depth_, width_;
  buffer<softmax_part<T>> parts_;
  buffer<T> outputs_;
  buffer<worker> workers_;
  buffer<decltype(seen_keys(std::declval<const Mechanism&>(), key_head{}))> needed_;
  index_t first_ = 0, count_ = 0;
};

// The forward pass of a call so short of query rows that one tile of them holds all that read a key head. As many heads at once as
// give every thread work and a MiB of parts.
template <device D, class Mechanism, class Call>
void decode(const D& d, const Mechanism& mechanism, const Call& call) {
  using Wave = decode_wave<Mechanism, Call>;
  const index_t heads = mechanism.call.batch * mechanism.call.key_heads;
  const index_t at_once =
      std::clamp((index_t(1) << 20) / Wave::bytes_of_parts(mechanism.call), threads_of(d), std::max(heads, threads_of(d)));
  Wave wave(mechanism, call, std::min(heads, at_once), threads_of(d));
  for (index_t first = 0; first < heads; first += at_once) {
    wave.begin(first, std::min(at_once, heads - first));
    for_each_item(d, wave.tiles(), [&](index_t thread, index_t item) { wave.attend(thread, item); });
    for_each_item(d, wave.merges(), [&](index_t thread, index_t item) { wave.merge(thread, item); });
  }
}

LONGSPAN_NAMESPACE_END

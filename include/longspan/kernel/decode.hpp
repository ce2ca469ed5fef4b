#pragma once

#include <algorithm>
#include <type_traits>

#include <longspan/core/device.hpp>
#include <longspan/core/interval.hpp>
#include <longspan/kernel/decode_order.hpp>
#include <longspan/kernel/decode_slots.hpp>
#include <longspan/kernel/key_head.hpp>
#include <longspan/kernel/key_operand.hpp>
#include <longspan/kernel/pack_values.hpp>
#include <longspan/kernel/packed_keys.hpp>
#include <longspan/kernel/passing_keys.hpp>
#include <longspan/kernel/query_tile.hpp>
#include <longspan/kernel/streamed_keys.hpp>
#include <longspan/kernel/value_operand.hpp>
#include <longspan/kernel/value_rows.hpp>
#include <longspan/tile/buffer.hpp>
#include <longspan/tile/read_ahead.hpp>
#include <longspan/tile/shape.hpp>

LONGSPAN_NAMESPACE_BEGIN
namespace detail {

// The forward pass of a call with few query rows, as when decoding. Its time is that of reading keys and values, so each is read once for
// the whole group of heads, and the items of work are tiles of keys. A wave is some key heads at once, in two rounds: first every tile is
// attended to, then the parts of every key head are merged, in the order in which a prefill merges them.
template <class Mechanism, class Tensors>
class decode_wave {
  using Words = typename Tensors::words;
  using T = typename Words::compute;
  using shape = tile_shape<T>;
  using Tile = query_tile<Words, Mechanism>;
  using streamed = streamed_keys<Words, Mechanism, typename Tensors::key_number>;
  using passing = passing_keys<Words, Mechanism, typename Tensors::key_number>;

 public:
  // Of the parts of one key head; at least one, for the sake of division.
  static index_t bytes_of_parts(const shapes& lengths) {
    return 1 + decode_slots<T>::bytes(decode_order<Mechanism>::tiles_of(lengths, tile_keys<Words>(lengths)),
                                      key_head::rows(lengths), round_up(lengths.value_channels, shape::lanes));
  }

  decode_wave(const Mechanism& mechanism, const Tensors& tensors, index_t heads_at_once, index_t threads)
      : mechanism_(mechanism),
        tensors_(tensors),
        in_place_(in_place<Words>(tensors.value.head(0, 0))),
        rows_(key_head::rows(mechanism.lengths)),
        depth_(words_for<Words>(mechanism.lengths.channels)),
        width_(round_up(mechanism.lengths.value_channels, shape::lanes)),
        key_rows_(tile_keys<Words>(mechanism.lengths)),
        order_(mechanism, key_rows_, tensors.key.stride[1] < tensors.key.stride[2]),
        slots_(heads_at_once, order_.tiles_of(mechanism.lengths, key_rows_), rows_, width_) {
    for (index_t t = 0; t < threads; ++t) workers_.emplace_back(*this);
  }

  void begin(index_t first, index_t count) { order_.begin(first, count); }

  index_t tiles() const { return order_.items(); }
  index_t merges() const { return order_.heads(); }

  // A tile that no row sees stays unread: a window does not pay for the keys before it.
  void attend(index_t thread, index_t item) {
    const interval needed = order_.needed(item);
    if (needed.empty()) return;
    const key_head of = order_.head(order_.head_of(item));
    worker& own = workers_[std::size_t(thread)];
    own.tile.begin(tensors_.query, of, {0, rows_});
    own.ahead = ahead_of(item);
    const auto keys = tensors_.key.head(of.batch, of.head);
    if (streams())
      attend(own, streamed(mechanism_, of, keys, own.scratch.data(), own.ahead), item, needed);
    else
      attend(own, passing(mechanism_, of, keys, own.panel.data(), own.scratch.data(), own.ahead), item, needed);
  }

  void merge(index_t thread, index_t w) {
    Tile& tile = workers_[std::size_t(thread)].tile;
    tile.begin(tensors_.query, order_.head(w), {0, rows_});
    for (index_t first = 0; first < mechanism_.lengths.keys; first += key_rows_)
      for (index_t r = 0; r < rows_; ++r)
        if (const index_t t = first / key_rows_; tile.sees(r, first)) tile.merge(r, slots_.part(w, t, r), slots_.output(w, t, r));
    tile.finish(tensors_);
  }

 private:
  // What a thread works in.
  struct worker {
    Tile tile;
    buffer<T> scratch, panel, values;
    read_ahead ahead;

    explicit worker(const decode_wave& wave)
        : tile(wave.mechanism_, shape::decode_rows),
          scratch(std::size_t(std::max(shape::panel * padded_words_for<Words>(wave.mechanism_.lengths.channels) * Words::per_word,
                                       packed_values_scratch<Words>(wave.width_)))),
          panel(std::size_t(wave.streams() ? 0 : packed_keys<Words>::size(shape::panel, wave.depth_))),
          values(std::size_t(wave.in_place_ ? 0 : wave.key_rows_ * wave.width_)) {}
  };

  // Whether few enough rows share a key to multiply it in the registers that it is transposed in.
  bool streams() const { return rows_ <= shape::streamed_rows; }

  // In the order in which a tile reads: values that are packed come before keys that are not. After it, what the thread most likely reads
  // next, that of the first item that no other has taken.
  read_ahead ahead_of(index_t item) const {
    const index_t next = item + index_t(workers_.size());
    return !in_place_ ? order_.ahead(item, next, tensors_.value, tensors_.key)
                      : order_.ahead(item, next, tensors_.key, tensors_.value);
  }

  // With values where they lie, or packed in memory of the thread's.
  template <class Keys>
  void attend(worker& own, const Keys& keys_of_item, index_t item, interval needed) {
    const key_operand<Words>& keys = keys_of_item;  // the kernel is compiled for this base
    own.ahead.ask(shape::asked_ahead(Keys::keys_at_once * tensors_.key.extent[3] * index_t(sizeof(*tensors_.key.data))));
    const index_t w = order_.head_of(item), first = order_.first_key(item);
    const auto values = tensors_.value.head(order_.head(w).batch, order_.head(w).head);
    const auto attend_to = [&](const value_operand<Words>& rows) {
      own.tile.attend(keys, rows, first, [&](index_t r, const softmax_part<T>& part, const T* output) {
        slots_.put(w, order_.tile_of(item), r, part, output);
      });
    };
    if constexpr (std::is_same_v<const T*, decltype(values.data)>)
      if (in_place_) return attend_to(streamed_values<Words>({values.data, 0, values.token_stride}, width_, own.ahead));
    const by_key<T, Words::per_word> rows{own.values.data(), first, width_};
    for (index_t j = round_down(needed.first, Words::per_word); j < needed.last; j += Words::per_word) {
      own.ahead.ask(Words::per_word * values.channels * index_t(sizeof(*values.data)));
      pack_values<Words>(values, j, rows.at(j), width_, own.scratch.data());
    }
    attend_to(cached_values<Words>({rows.data, rows.first, rows.stride}, width_));
  }

  const Mechanism& mechanism_;
  const Tensors& tensors_;
  bool in_place_;
  index_t rows_, depth_, width_, key_rows_;
  decode_order<Mechanism> order_;
  decode_slots<T> slots_;
  buffer<worker> workers_;
};

// As many heads at once as give every thread work and decode_parts bytes of parts.
template <device D, class Mechanism, class Tensors>
void decode(const D& d, const Mechanism& mechanism, const Tensors& tensors) {
  using Wave = decode_wave<Mechanism, Tensors>;
  const index_t heads = mechanism.lengths.batch * mechanism.lengths.key_heads;
  const index_t at_once = std::clamp(decode_parts / Wave::bytes_of_parts(mechanism.lengths), detail::threads_of(d),
                                     std::max(heads, detail::threads_of(d)));
  Wave wave(mechanism, tensors, std::min(heads, at_once), detail::threads_of(d));
  for (index_t first = 0; first < heads; first += at_once) {
    wave.begin(first, std::min(at_once, heads - first));
    detail::for_each_item(d, wave.tiles(), [&](index_t thread, index_t item) { wave.attend(thread, item); });
    detail::for_each_item(d, wave.merges(), [&](index_t thread, index_t item) { wave.merge(thread, item); });
  }
}

}  // namespace detail
LONGSPAN_NAMESPACE_END

#pragma once

#include <algorithm>
#include <span>
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
#include <longspan/kernel/wave.hpp>
#include <longspan/tile/buffer.hpp>
#include <longspan/tile/read_ahead.hpp>
#include <longspan/tile/shape.hpp>

LONGSPAN_NAMESPACE_BEGIN
namespace detail {

// The forward pass of texts with few query rows, as when decoding. Its time is that of reading keys and values, so each is read once for
// the whole group of heads, and the items of work are tiles of keys. A wave is some key heads at once, in two rounds: first every tile is
// attended to, then the parts of every key head are merged, in the order in which a prefill merges them.
template <class Text>
class decode_wave {
  using Mechanism = typename Text::mechanism_type;
  using Tensors = typename Text::tensors_type;
  using Words = typename Tensors::words;
  using T = typename Words::compute;
  using shape = tile_shape<T>;
  using Tile = query_tile<Text>;
  using Head = key_head<Text>;
  using streamed = streamed_keys<Words, Mechanism, typename Tensors::key_number>;
  using passing = passing_keys<Words, Mechanism, typename Tensors::key_number>;

 public:
  decode_wave(std::span<const Text> texts, index_t threads)
      : heads_(texts),
        in_place_(in_place<Words>(texts[0].tensors.value.head(0, 0))),
        depth_(words_for<Words>(texts[0].mechanism.lengths.channels)),
        width_(round_up(texts[0].mechanism.lengths.value_channels, shape::lanes)),
        key_rows_(tile_keys<Words>(texts[0].mechanism.lengths)),
        order_(key_rows_, texts[0].tensors.key.stride[1] < texts[0].tensors.key.stride[2]),
        slots_(width_) {
    const index_t most_rows = heads_.largest([](const Head& head) { return head.rows(); });
    const index_t most_keys = heads_.largest([](const Head& head) { return head.lengths().keys; });
    room_ = std::max(decode_parts, threads * bytes_of_parts(most_rows, most_keys));
    for (index_t t = 0; t < threads; ++t) workers_.emplace_back(*this, texts[0].mechanism.lengths, most_rows, most_keys);
  }

  // Moves on to the next key heads: as many as give every thread work and decode_parts bytes of parts. Returns whether there are any.
  bool next() {
    if (!heads_.next(room_, [&](const Head& head) { return bytes_of_parts(head.rows(), head.lengths().keys); })) return false;
    order_.begin(heads_);
    slots_.clear();
    for (index_t w = 0; w < heads_.size(); ++w) slots_.add(tiles_of(heads_[w]), heads_[w].rows());
    return true;
  }

  index_t tiles() const { return order_.items(); }
  index_t merges() const { return heads_.size(); }

  // A tile that no row sees stays unread: a window does not pay for the keys before it.
  void attend(index_t thread, index_t item) {
    const interval needed = order_.needed(item);
    if (needed.empty()) return;
    const Head& of = heads_[order_.head_of(item)];
    worker& own = workers_[std::size_t(thread)];
    own.tile.begin(of, {0, of.rows()});
    own.ahead = ahead_of(item);
    const auto keys = of.text->tensors.key.head(0, of.head);
    if (streams(of.rows()))
      attend(own, streamed(of.text->mechanism, of.head, keys, own.scratch.data(), own.ahead), item, needed);
    else
      attend(own, passing(of.text->mechanism, of.head, keys, own.panel.data(), own.scratch.data(), own.ahead), item, needed);
  }

  void merge(index_t thread, index_t w) {
    Tile& tile = workers_[std::size_t(thread)].tile;
    tile.begin(heads_[w], {0, heads_[w].rows()});
    for (index_t t = 0; t < tiles_of(heads_[w]); ++t)
      for (index_t r = 0; r < heads_[w].rows(); ++r)
        if (tile.sees(r, t * key_rows_)) tile.merge(r, slots_.part(w, t, r), slots_.output(w, t, r));
    tile.finish();
  }

 private:
  // What a thread works in.
  struct worker {
    Tile tile;
    buffer<T> scratch, panel, values;
    read_ahead ahead;

    worker(const decode_wave& wave, const shapes& lengths, index_t most_rows, index_t most_keys)
        : tile(lengths, most_keys, shape::decode_rows),
          scratch(std::size_t(std::max(shape::panel * padded_words_for<Words>(lengths.channels) * Words::per_word,
                                       packed_values_scratch<Words>(wave.width_)))),
          panel(std::size_t(streams(most_rows) ? 0 : packed_keys<Words>::size(shape::panel, wave.depth_))),
          values(std::size_t(wave.in_place_ ? 0 : wave.key_rows_ * wave.width_)) {}
  };

  // Of the parts of one key head.
  index_t bytes_of_parts(index_t rows, index_t keys) const {
    return decode_slots<T>::bytes(round_up(keys, key_rows_) / key_rows_, rows, width_);
  }
  index_t tiles_of(const Head& head) const { return order_.tiles_of(head.lengths(), key_rows_); }

  // Whether few enough rows share a key to multiply it in the registers that it is transposed in.
  static bool streams(index_t rows) { return rows <= shape::streamed_rows; }

  // In the order in which a tile reads: values that are packed come before keys that are not. After it, what the thread most likely reads
  // next, that of the first item that no other has taken.
  read_ahead ahead_of(index_t item) const {
    const index_t next = item + index_t(workers_.size());
    return !in_place_ ? order_.ahead(item, next, &Tensors::value, &Tensors::key)
                      : order_.ahead(item, next, &Tensors::key, &Tensors::value);
  }

  // With values where they lie, or packed in memory of the thread's.
  template <class Keys>
  void attend(worker& own, const Keys& keys_of_item, index_t item, interval needed) {
    const key_operand<Words>& keys = keys_of_item;  // the kernel is compiled for this base
    const index_t w = order_.head_of(item), first = order_.first_key(item);
    const auto values = heads_[w].text->tensors.value.head(0, heads_[w].head);
    own.ahead.ask(shape::asked_ahead(Keys::keys_at_once * heads_[w].lengths().channels *
                                     index_t(sizeof(*heads_[w].text->tensors.key.data))));
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

  wave<Text> heads_;
  bool in_place_;
  index_t depth_, width_, key_rows_, room_ = 0;
  decode_order<Text> order_;
  decode_slots<T> slots_;
  buffer<worker> workers_;
};

template <device D, class Text>
void decode(const D& d, std::span<const Text> texts) {
  if (texts.empty()) return;
  decode_wave<Text> wave(texts, detail::threads_of(d));
  while (wave.next()) {
    detail::for_each_item(d, wave.tiles(), [&](index_t thread, index_t item) { wave.attend(thread, item); });
    detail::for_each_item(d, wave.merges(), [&](index_t thread, index_t item) { wave.merge(thread, item); });
  }
}

}  // namespace detail
LONGSPAN_NAMESPACE_END

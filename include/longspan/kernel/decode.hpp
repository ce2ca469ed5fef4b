#pragma once

#include <algorithm>
#include <span>

#include <longspan/core/device.hpp>
#include <longspan/core/interval.hpp>
#include <longspan/core/shapes.hpp>
#include <longspan/kernel/decode_order.hpp>
#include <longspan/kernel/decode_slots.hpp>
#include <longspan/kernel/key_head.hpp>
#include <longspan/kernel/key_operand.hpp>
#include <longspan/kernel/prepare_row.hpp>
#include <longspan/kernel/query_tile.hpp>
#include <longspan/kernel/tile_operands.hpp>
#include <longspan/kernel/value_operand.hpp>
#include <longspan/kernel/wave.hpp>
#include <longspan/tile/buffer.hpp>
#include <longspan/tile/read_ahead.hpp>
#include <longspan/tile/shape.hpp>

LONGSPAN_NAMESPACE_BEGIN
namespace detail {

// The forward pass of texts with few query rows, as when decoding. Its time is that of reading keys and values, so each is read once for
// the whole group of heads, and the items of work are tiles of keys. A wave is some key heads at once, in two rounds: first every tile is
// attended to, then the parts of every key head are merged, in the order in which a prefill merges them. Rows of texts that share keys,
// such as continuations of one prompt, pass them together, and so do those of heads that lie side by side.
template <class Text>
class decode_wave {
  using Words = typename Text::tensors_type::words;
  using T = typename Words::compute;
  using shape = tile_shape<T>;
  using Tile = query_tile<Text>;
  using Head = key_head<Text>;

 public:
  decode_wave(std::span<const Text> texts, index_t threads)
      : heads_(texts, [](const Text& one, const Text& next) { return share_keys({&one, 0}, {&next, 0}, {0, 1}); }),
        operands_(texts),
        width_(round_up(texts[0].mechanism.lengths.value_channels, shape::lanes)),
        key_rows_(tile_keys<Words>(texts[0].mechanism.lengths)),
        order_(key_rows_, operands_.heads_side_by_side()),
        slots_(width_) {
    const index_t rows = heads_.largest([](const Head& head) { return head.rows(); });
    const index_t most_keys = heads_.largest([](const Head& head) { return head.lengths().keys; });
    // Where texts share keys, they pass them together, and its heads one by one.
    const index_t most =
        heads_.most_together() > 1 ? heads_.most_together() : heads_side_by_side(texts[0].mechanism.lengths, rows, threads);
    together_ = std::clamp(shape::most_decode_rows / std::max(rows, index_t(1)), index_t(1), most);
    room_ = std::max(decode_parts, std::max(threads, together_) * bytes_of_parts(rows, most_keys));
    for (index_t t = 0; t < threads; ++t)
      workers_.push_back({Tile(texts[0].mechanism.lengths, most_keys, together_ * rows),
                          {},
                          {operands_, texts[0].mechanism.lengths, together_ * rows},
                          {}});
  }

  // Moves on to the next key heads: as many as give every thread work and decode_parts bytes of parts. Returns whether there are any.
  bool next() {
    if (!heads_.next(room_, [&](const Head& head) { return bytes_of_parts(head.rows(), head.lengths().keys); })) return false;
    for (worker& each : workers_) each.held = {};
    order_.begin(heads_, together_, [&](const Head& one, const Head& other, interval keys) {
      return heads_.most_together() > 1 ? share_keys(one, other, keys) : one.text == other.text;
    });
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
    const auto heads = order_.heads_of(item);
    const index_t w = order_.head_of(item), first = order_.first_key(item), rows = heads.front().rows();
    worker& own = workers_[std::size_t(thread)];
    own.take_up(heads);
    // After this tile, what the thread most likely reads next: that of the first item that no other has taken.
    own.to_read.clear();
    order_.append_reads(item, item + index_t(workers_.size()), operands_, own.to_read);
    read_ahead ahead(own.to_read);
    operands_.with(own.room, heads, first, needed, ahead,
                   [&](const key_operand<Words>& keys, const value_operand<Words>& values) {
                     own.tile.attend(keys, values, first, [&](index_t r, const softmax_part<T>& part, const T* output) {
                       slots_.put(w + r / rows, order_.tile_of(item), r % rows, part, output);
                     });
                   });
  }

  void merge(index_t thread, index_t w) {
    worker& own = workers_[std::size_t(thread)];
    Tile& tile = own.tile;
    own.take_up(heads_.heads(w, 1));
    for (index_t t = 0; t < tiles_of(heads_[w]); ++t)
      for (index_t r = 0; r < heads_[w].rows(); ++r)
        if (tile.sees(r, t * key_rows_)) tile.merge(r, slots_.part(w, t, r), slots_.output(w, t, r));
    tile.finish();
    own.held = {};
  }

 private:
  // Whether as many rows of two texts read some keys of one head from the same memory.
  static constexpr auto share_keys = [](const Head& one, const Head& other, interval keys) {
    return one.head == other.head && one.rows() == other.rows() && tile_operands<Text>::share(*one.text, *other.text, keys);
  };

  // How many heads of a text pass a tile together, so that four items are left for each of several threads.
  index_t heads_side_by_side(const shapes& lengths, index_t rows, index_t threads) const {
    const index_t most = operands_.side_by_side(lengths, rows), items = lengths.key_heads * lengths.keys / key_rows_;
    return threads == 1 ? most : std::clamp(items / (4 * threads), index_t(1), most);
  }

  // What a thread works in.
  struct worker {
    Tile tile;
    std::span<const Head> held;  // of the wave: those whose rows the tile has
    typename tile_operands<Text>::room room;
    buffer<memory_rows> to_read;

    // Rows of the item before are prepared already if the heads are the same: parts are delivered, and leave no trace in the tile.
    void take_up(std::span<const Head> heads) {
      if (heads.data() == held.data() && heads.size() == held.size()) return;
      tile.begin(heads.front(), {0, heads.front().rows()});
      for (const Head& each : heads.subspan(1)) tile.append(each, {0, each.rows()});
      held = heads;
    }
  };

  // Of the parts of one key head.
  index_t bytes_of_parts(index_t rows, index_t keys) const {
    return decode_slots<T>::bytes(round_up(keys, key_rows_) / key_rows_, rows, width_);
  }
  index_t tiles_of(const Head& head) const { return order_.tiles_of(head.lengths(), key_rows_); }

  wave<Text> heads_;
  tile_operands<Text> operands_;
  index_t width_, key_rows_, room_ = 0, together_ = 1;
  decode_order<Text> order_;
  decode_slots<T> slots_;
  buffer<worker> workers_;
};

// Whether few enough rows share a key head.
template <class Words>
constexpr bool decodes(const shapes& lengths) {
  return group_rows(lengths) <= tile_shape<typename Words::compute>::decode_rows(lengths.keys * words_of_a_key<Words>(lengths));
}

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

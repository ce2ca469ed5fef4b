#pragma once

#include <algorithm>
#include <span>

#include <longspan/core/interval.hpp>
#include <longspan/kernel/key_head.hpp>
#include <longspan/kernel/wave.hpp>
#include <longspan/tile/buffer.hpp>
#include <longspan/tile/read_ahead.hpp>
#include <longspan/tile/shape.hpp>

LONGSPAN_NAMESPACE_BEGIN
namespace detail {

// A tile of keys, and how many heads pass it together, from that one on.
struct passed_tile : wave_item {
  index_t heads;
};

// What a decoding wave reads, and in which order. Its items are the tiles of keys of some key heads, numbered as they lie in memory, first
// keys first: text by text and head by head, or, where the heads of a token lie side by side, all heads of a tile before the next tile of
// the text. There, head by head, every head would visit every page of the tensor, more of them than the TLB holds: 15 GB/s instead of 18
// at 32768 keys. A tile that several heads pass together is one item for all of them: of texts that share it, as the prompt of many
// continuations, or of a text whose heads lie side by side.
template <class Text>
class decode_order {
  using head = key_head<Text>;
  struct each_alone {
    bool operator()(const head&, const head&, interval) const { return false; }
  };

 public:
  decode_order(index_t tile_keys, bool heads_side_by_side) : tile_keys_(tile_keys), heads_side_by_side_(heads_side_by_side) {}

  static index_t tiles_of(const shapes& lengths, index_t tile_keys) { return round_up(lengths.keys, tile_keys) / tile_keys; }

  // Moves on to the heads of a wave, which stay as long as they are asked for. Up to `most` neighbours pass the tiles together of which
  // together(first, other, keys) says so.
  template <class Together = each_alone>
  void begin(const wave<Text>& heads, index_t most = 1, Together together = {}) {
    heads_ = &heads;
    items_.clear(), passed_.clear();
    items_of_wave<passed_tile> of_text;
    for (index_t w = 0; w < heads.size();) {
      of_text.clear();
      for (const Text* text = heads[w].text; w < heads.size() && heads[w].text == text; ++w) add(w, most, together, of_text);
      if (heads_side_by_side_) of_text.first_pieces_first();
      items_.add(of_text);
    }
  }

  index_t items() const { return items_.count(); }

  // Of an item: its head of the wave, all that pass it together from that one on, its tile of the head, the first key of the tile, and the
  // hull of those that some row needs.
  index_t head_of(index_t item) const { return items_[item].head; }
  std::span<const head> heads_of(index_t item) const { return heads_->heads(head_of(item), items_[item].heads); }
  index_t tile_of(index_t item) const { return items_[item].piece; }
  index_t first_key(index_t item) const { return tile_of(item) * tile_keys_; }
  interval needed(index_t item) const {
    interval all;
    for (const head& each : heads_of(item))
      all = hull(all, each.text->mechanism.seen->needed(each.head, keys_of(each, tile_of(item))));
    return all;
  }

  // Appends what an item reads, in the order in which it does, and then what `next` reads first; nothing where that is no item.
  // `operands` tell where it lies.
  template <class Operands>
  void append_reads(index_t item, index_t next, const Operands& operands, buffer<memory_rows>& to) const {
    operands.append_first(heads_of(item), needed(item), to);
    operands.append_second(heads_of(item), needed(item), to);
    if (next < items()) operands.append_first(heads_of(next), needed(next), to);
  }

 private:
  interval keys_of(const head& of, index_t tile) const {
    return {tile * tile_keys_, std::min((tile + 1) * tile_keys_, of.lengths().keys)};
  }

  // Appends the tiles of a head, but for those that an item before has.
  template <class Together>
  void add(index_t w, index_t most, Together together, items_of_wave<passed_tile>& to) {
    const wave<Text>& heads = *heads_;
    const index_t tiles = tiles_of(heads[w].lengths(), tile_keys_);
    if (index_t(passed_.size()) < tiles) passed_.resize(std::size_t(tiles), 0);
    for (index_t tile = 0; tile < tiles; ++tile) {
      index_t& passed = passed_[std::size_t(tile)];
      if (passed > 0) {
        --passed;
        continue;
      }
      index_t last = w + 1;
      // The tile is read where the first has it: that one must have every key of the others.
      while (last < std::min(w + most, heads.size()) && tile < tiles_of(heads[last].lengths(), tile_keys_) &&
             keys_of(heads[last], tile).last <= keys_of(heads[w], tile).last &&
             together(heads[w], heads[last], keys_of(heads[last], tile)))
        ++last;
      to.add({{w, tile}, last - w});
      passed = last - w - 1;
    }
  }

  index_t tile_keys_;
  bool heads_side_by_side_;
  buffer<index_t> passed_;  // by tile: how many heads to come have it in an item already
  const wave<Text>* heads_ = nullptr;
  items_of_wave<passed_tile> items_;
};

}  // namespace detail
LONGSPAN_NAMESPACE_END

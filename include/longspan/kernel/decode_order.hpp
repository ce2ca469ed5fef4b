#pragma once

#include <algorithm>

#include <longspan/core/interval.hpp>
#include <longspan/kernel/key_head.hpp>
#include <longspan/kernel/wave.hpp>
#include <longspan/tile/buffer.hpp>
#include <longspan/tile/read_ahead.hpp>
#include <longspan/tile/shape.hpp>

LONGSPAN_NAMESPACE_BEGIN
namespace detail {

// What a decoding wave reads, and in which order. Its items are the tiles of keys of some key heads, numbered as they lie in memory, first
// keys first: text by text and head by head, or, where the heads of a token lie side by side, all heads of a tile before the next tile of
// the text. There, head by head, every head would visit every page of the tensor, more of them than the TLB holds: 15 GB/s instead of 18
// at 32768 keys. A tile that several texts share, as the prompt of many continuations, is one item for all of them.
template <class Text>
class decode_order {
  using head = key_head<Text>;
  struct item : wave_item {
    index_t heads;  // that share the tile, from that one on
  };
  struct nothing_shared {
    bool operator()(const head&, const head&, interval) const { return false; }
  };

 public:
  decode_order(index_t tile_keys, bool heads_side_by_side) : tile_keys_(tile_keys), heads_side_by_side_(heads_side_by_side) {}

  static index_t tiles_of(const shapes& lengths, index_t tile_keys) { return round_up(lengths.keys, tile_keys) / tile_keys; }

  // Moves on to the heads of a wave, which stay as long as they are asked for. Up to `most` neighbours share the tiles of which
  // share(first, other, keys) says so.
  template <class Share = nothing_shared>
  void begin(const wave<Text>& heads, index_t most = 1, Share share = {}) {
    heads_ = &heads;
    items_.clear(), shared_.clear();
    items_of_wave<item> of_text;
    for (index_t w = 0; w < heads.size();) {
      of_text.clear();
      for (const Text* text = heads[w].text; w < heads.size() && heads[w].text == text; ++w) add(w, most, share, of_text);
      if (heads_side_by_side_) of_text.first_pieces_first();
      items_.add(of_text);
    }
  }

  index_t items() const { return items_.count(); }

  // Of an item: its head of the wave and how many share it from that one on, its tile of the head, the first key of the tile, and the hull
  // of those that some row needs.
  index_t head_of(index_t item) const { return items_[item].head; }
  index_t heads_of(index_t item) const { return items_[item].heads; }
  index_t tile_of(index_t item) const { return items_[item].piece; }
  index_t first_key(index_t item) const { return tile_of(item) * tile_keys_; }
  interval needed(index_t item) const {
    interval all;
    for (index_t w = head_of(item); w < head_of(item) + heads_of(item); ++w) {
      const auto& [text, g] = (*heads_)[w];
      all = hull(all, text->mechanism.seen->needed(g, keys_of(w, tile_of(item))));
    }
    return all;
  }

  // Appends what an item reads, in the order in which it does, and then what `next` reads first; nothing where that is no item.
  // `operands` tell where it lies.
  template <class Operands>
  void append_reads(index_t item, index_t next, const Operands& operands, buffer<memory_rows>& to) const {
    operands.append_first((*heads_)[head_of(item)], needed(item), to);
    operands.append_second((*heads_)[head_of(item)], needed(item), to);
    if (next < items()) operands.append_first((*heads_)[head_of(next)], needed(next), to);
  }

 private:
  interval keys_of(index_t w, index_t tile) const {
    return {tile * tile_keys_, std::min((tile + 1) * tile_keys_, (*heads_)[w].lengths().keys)};
  }

  // Appends the tiles of a head, but for those that an item before has.
  template <class Share>
  void add(index_t w, index_t most, Share share, items_of_wave<item>& to) {
    const wave<Text>& heads = *heads_;
    const index_t tiles = tiles_of(heads[w].lengths(), tile_keys_);
    if (index_t(shared_.size()) < tiles) shared_.resize(std::size_t(tiles), 0);
    for (index_t tile = 0; tile < tiles; ++tile) {
      index_t& shared = shared_[std::size_t(tile)];
      if (shared > 0) {
        --shared;
        continue;
      }
      index_t last = w + 1;
      // The tile is read where the first has it: that one must have every key of the others.
      while (last < std::min(w + most, heads.size()) && tile < tiles_of(heads[last].lengths(), tile_keys_) &&
             keys_of(last, tile).last <= keys_of(w, tile).last && share(heads[w], heads[last], keys_of(last, tile)))
        ++last;
      to.add({{w, tile}, last - w});
      shared = last - w - 1;
    }
  }

  index_t tile_keys_;
  bool heads_side_by_side_;
  buffer<index_t> shared_;  // by tile: how many heads to come have it in an item already
  const wave<Text>* heads_ = nullptr;
  items_of_wave<item> items_;
};

}  // namespace detail
LONGSPAN_NAMESPACE_END

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
// at 32768 keys.
template <class Text>
class decode_order {
 public:
  decode_order(index_t tile_keys, bool heads_side_by_side) : tile_keys_(tile_keys), heads_side_by_side_(heads_side_by_side) {}

  static index_t tiles_of(const shapes& lengths, index_t tile_keys) { return round_up(lengths.keys, tile_keys) / tile_keys; }

  // Moves on to the heads of a wave, which stay as long as they are asked for.
  void begin(const wave<Text>& heads) {
    heads_ = &heads;
    items_.clear();
    wave_items of_text;
    for (index_t w = 0; w < heads.size();) {
      of_text.clear();
      for (const Text* text = heads[w].text; w < heads.size() && heads[w].text == text; ++w)
        of_text.add(w, {0, tiles_of(heads[w].lengths(), tile_keys_)});
      if (heads_side_by_side_) of_text.first_pieces_first();
      items_.add(of_text);
    }
  }

  index_t items() const { return items_.count(); }

  // Of an item: its head of the wave, its tile of that head, the first key of the tile, and the hull of those that some row needs.
  index_t head_of(index_t item) const { return items_[item].head; }
  index_t tile_of(index_t item) const { return items_[item].piece; }
  index_t first_key(index_t item) const { return tile_of(item) * tile_keys_; }
  interval needed(index_t item) const {
    const auto& [text, head] = (*heads_)[head_of(item)];
    const index_t first = first_key(item);
    return text->mechanism.seen->needed(head, {first, std::min(first + tile_keys_, text->mechanism.lengths.keys)});
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
  index_t tile_keys_;
  bool heads_side_by_side_;
  const wave<Text>* heads_ = nullptr;
  wave_items items_;
};

}  // namespace detail
LONGSPAN_NAMESPACE_END

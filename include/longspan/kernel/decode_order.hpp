#pragma once

#include <algorithm>
#include <cstdint>

#include <longspan/core/interval.hpp>
#include <longspan/kernel/key_head.hpp>
#include <longspan/kernel/wave.hpp>
#include <longspan/tensor/view.hpp>
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

  // What an item reads of two tensors, one before the other, and then what `next` reads of the first. None where `next` is no item. The
  // tensors are members of a text's.
  template <class One, class Other>
  read_ahead ahead(index_t item, index_t next, One one, Other other) const {
    return read_ahead(rows_of(one, item), rows_of(other, item), rows_of(one, next));
  }

 private:
  template <class Tensor>
  memory_rows rows_of(Tensor which, index_t item) const {
    if (item >= items()) return {};
    const auto& [text, head] = (*heads_)[head_of(item)];
    const auto& tensor = text->tensors.*which;
    const interval keys = needed(item);
    if (keys.empty() || tensor.stride[3] != 1) return {};
    const auto rows = tensor.head(0, head);
    constexpr auto bytes = index_t(sizeof(*rows.data));
    return {reinterpret_cast<std::intptr_t>(rows.row(keys.first)), keys.size() > 1 ? rows.token_stride * bytes : 0,
            rows.channels * bytes, keys.size()};
  }

  index_t tile_keys_;
  bool heads_side_by_side_;
  const wave<Text>* heads_ = nullptr;
  wave_items items_;
};

}  // namespace detail
LONGSPAN_NAMESPACE_END

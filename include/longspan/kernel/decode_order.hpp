#pragma once

#include <algorithm>
#include <cstdint>

#include <longspan/core/interval.hpp>
#include <longspan/kernel/key_head.hpp>
#include <longspan/tensor/view.hpp>
#include <longspan/tile/read_ahead.hpp>
#include <longspan/tile/shape.hpp>

LONGSPAN_NAMESPACE_BEGIN
namespace detail {

// What a decoding wave reads, and in which order. Its items are the tiles of keys of some key heads, numbered as they lie in memory, first
// keys first: head by head, or, where the heads of a token lie side by side, all heads of a tile before the next tile. There, head by head,
// every head would visit every page of the tensor, more of them than the TLB holds: 15 GB/s instead of 18 at 32768 keys.
template <class Mechanism>
class decode_order {
 public:
  decode_order(const Mechanism& mechanism, index_t tile_keys, bool heads_side_by_side)
      : mechanism_(mechanism),
        tile_keys_(tile_keys),
        tiles_(tiles_of(mechanism.lengths, tile_keys)),
        heads_side_by_side_(heads_side_by_side) {}

  static index_t tiles_of(const shapes& lengths, index_t tile_keys) { return round_up(lengths.keys, tile_keys) / tile_keys; }

  // Moves on to `count` key heads from `first`, counted through the batch.
  void begin(index_t first, index_t count) { first_ = first, count_ = count; }

  index_t heads() const { return count_; }
  index_t items() const { return count_ * tiles_; }

  // The w-th key head of the wave.
  key_head head(index_t w) const { return key_head::nth(mechanism_.lengths, first_ + w); }

  // Of an item: its head of the wave, its tile of that head, the first key of the tile, and the hull of those that some row needs.
  index_t head_of(index_t item) const { return heads_side_by_side_ ? item % count_ : item / tiles_; }
  index_t tile_of(index_t item) const { return heads_side_by_side_ ? item / count_ : item % tiles_; }
  index_t first_key(index_t item) const { return tile_of(item) * tile_keys_; }
  interval needed(index_t item) const {
    const key_head of = head(head_of(item));
    const index_t first = first_key(item);
    return mechanism_.seen.needed(of.batch, of.head, {first, std::min(first + tile_keys_, mechanism_.lengths.keys)});
  }

  // What an item reads of two tensors, one before the other, and then what `next` reads of the first. None where `next` is no item.
  template <class One, class Other>
  read_ahead ahead(index_t item, index_t next, const One& one, const Other& other) const {
    return read_ahead(rows_of(one, item), rows_of(other, item), rows_of(one, next));
  }

 private:
  template <class S>
  memory_rows rows_of(const view<const S>& tensor, index_t item) const {
    if (item >= items() || tensor.stride[3] != 1) return {};
    const key_head of = head(head_of(item));
    const interval keys = needed(item);
    const auto rows = tensor.head(of.batch, of.head);
    if (keys.empty()) return {};
    return {reinterpret_cast<std::intptr_t>(rows.row(keys.first)), keys.size() > 1 ? rows.token_stride * index_t(sizeof(S)) : 0,
            rows.channels * index_t(sizeof(S)), keys.size()};
  }

  const Mechanism& mechanism_;
  index_t tile_keys_, tiles_;
  bool heads_side_by_side_;
  index_t first_ = 0, count_ = 0;
};

}  // namespace detail
LONGSPAN_NAMESPACE_END

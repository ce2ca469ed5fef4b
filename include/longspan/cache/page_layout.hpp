#pragma once

#include <cstddef>

#include <longspan/cache/storage.hpp>
#include <longspan/core/index.hpp>
#include <longspan/simd/batch.hpp>
#include <longspan/tile/shape.hpp>

LONGSPAN_NAMESPACE_BEGIN
namespace detail {

// What a page of a cache holds, page_keys tokens of all key heads, head after head: keys in panels, as the kernel multiplies them (word c
// of key j of a panel at c * panel + j), then rows of values, padded with zeros to whole batches, then the scales of both where the storage
// has any. A word holds per_word numbers: of a key's channels, and of a channel of consecutive values.
template <class Storage>
struct page_layout {
  using storage = cache_storage<Storage>;
  using number = typename storage::number;
  using T = typename storage::compute;
  using shape = tile_shape<T>;
  static constexpr index_t panel = shape::panel, keys = shape::page_keys;
  static constexpr bool scaled = storage::scaled;
  static constexpr index_t per_word = storage::per_word;

  index_t key_heads = 0, channels = 0, value_channels = 0;
  index_t first_key = 0;  // the place of a text's token 0: see cache_shape

  static constexpr index_t lanes_together = storage::batches_together * shape::lanes;
  // Numbers of a key and of a value, padded to whole words, and to whole batches that stand together.
  index_t depth() const { return round_up(channels, per_word); }
  index_t width() const { return round_up(value_channels, lanes_together); }
  index_t bytes() const { return key_heads * head_bytes(); }

  // Of a head: the panel that holds a key of the page, the row of values that holds one of a key, or as many rows as a word has numbers,
  // and the scales of the page's keys and values; no scales where the storage has none.
  number* key_panel(std::byte* page, index_t head, index_t key) const {
    return numbers(page, head) + key / panel * panel * depth();
  }
  number* value_row(std::byte* page, index_t head, index_t key) const {
    return numbers(page, head) + keys * depth() + round_down(key, per_word) * width();
  }
  // Channel c of a key, and of a value.
  number& key_at(std::byte* page, index_t head, index_t key, index_t c) const {
    return key_panel(page, head, key)[c / per_word * panel * per_word + storage::place(key % panel) * per_word + c % per_word];
  }
  number& value_at(std::byte* page, index_t head, index_t key, index_t c) const {
    return value_row(page, head, key)[storage::place(c) * per_word + key % per_word];
  }
  T* key_scales(std::byte* page, index_t head) const {
    return scaled ? reinterpret_cast<T*>(numbers(page, head) + keys * (depth() + width())) : nullptr;
  }
  T* value_scales(std::byte* page, index_t head) const { return scaled ? key_scales(page, head) + keys : nullptr; }

 private:
  index_t head_bytes() const {
    const index_t numbers = keys * (depth() + width()) * index_t(sizeof(number));
    return round_up(numbers + (scaled ? 2 * keys * index_t(sizeof(T)) : 0), 64);
  }
  number* numbers(std::byte* page, index_t head) const { return reinterpret_cast<number*>(page + head * head_bytes()); }
};

// What operands work in that multiply pages as they are.
struct no_room {
  no_room(index_t, index_t, index_t) {}
};

}  // namespace detail
LONGSPAN_NAMESPACE_END

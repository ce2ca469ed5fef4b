#pragma once

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <memory>
#include <new>
#include <span>

#include <longspan/cache/storage.hpp>
#include <longspan/core/index.hpp>
#include <longspan/simd/batch.hpp>
#include <longspan/tile/shape.hpp>

LONGSPAN_NAMESPACE_BEGIN
namespace detail {

// What a page of a cache holds, page_keys tokens of all key heads, head after head: keys in panels, as the kernel multiplies them (number c
// of key j of a panel at c * panel + j), then rows of values, padded with zeros to whole batches, then the scales of both where the storage
// has any.
template <class Storage>
struct page_layout {
  using number = typename cache_storage<Storage>::number;
  using T = typename cache_storage<Storage>::compute;
  using shape = tile_shape<T>;
  static constexpr index_t panel = shape::panel, keys = shape::page_keys;
  static constexpr bool scaled = cache_storage<Storage>::scaled;

  index_t key_heads = 0, channels = 0, value_channels = 0;

  index_t width() const { return round_up(value_channels, shape::lanes); }
  index_t bytes() const { return key_heads * head_bytes(); }

  // Of a head: the panel that holds a key of the page, a row of values, and the scales of the page's keys and values; no scales where the
  // storage has none.
  number* key_panel(std::byte* page, index_t head, index_t key) const {
    return numbers(page, head) + key / panel * panel * channels;
  }
  number* value_row(std::byte* page, index_t head, index_t key) const {
    return numbers(page, head) + keys * channels + key * width();
  }
  T* key_scales(std::byte* page, index_t head) const {
    return scaled ? reinterpret_cast<T*>(numbers(page, head) + keys * (channels + width())) : nullptr;
  }
  T* value_scales(std::byte* page, index_t head) const { return scaled ? key_scales(page, head) + keys : nullptr; }

 private:
  index_t head_bytes() const {
    const index_t numbers = keys * (channels + width()) * index_t(sizeof(number));
    return round_up(numbers + (scaled ? 2 * keys * index_t(sizeof(T)) : 0), 64);
  }
  number* numbers(std::byte* page, index_t head) const { return reinterpret_cast<number*>(page + head * head_bytes()); }
};

// The memory of a page, which copies of a cache share. Cleared: lanes of keys that are not there yet are multiplied, and what comes of it
// is hidden.
using page = std::shared_ptr<std::byte>;

inline page make_page(index_t bytes) {
  constexpr std::align_val_t line{64};
  auto* const memory = static_cast<std::byte*>(::operator new(std::size_t(bytes), line));
  std::memset(memory, 0, std::size_t(bytes));
  return page(memory, [](std::byte* of) { ::operator delete(of, std::align_val_t(64)); });
}

}  // namespace detail
LONGSPAN_NAMESPACE_END

#pragma once

#include <algorithm>
#include <cstddef>
#include <span>

#include <longspan/cache/cache_rows.hpp>
#include <longspan/cache/hadamard.hpp>
#include <longspan/cache/longer_text.hpp>
#include <longspan/cache/page_layout.hpp>
#include <longspan/cache/storage.hpp>
#include <longspan/core/device.hpp>
#include <longspan/core/index.hpp>
#include <longspan/core/interval.hpp>
#include <longspan/core/text.hpp>
#include <longspan/core/token.hpp>
#include <longspan/tensor/checked.hpp>
#include <longspan/tensor/view.hpp>
#include <longspan/tile/buffer.hpp>

LONGSPAN_NAMESPACE_BEGIN
namespace detail {

// Writes the tokens of a text at its keys, all of one page, of one head: keys as `rows` prepare them, and values. Key j is number
// j - first_token of the head's rows.
template <class Storage, class T, class K, class V>
void write_tokens(const page_layout<Storage>& layout, const cache_rows<T>& rows, const text& own, std::byte* page, index_t head,
                  const head_view<K>& k, const head_view<V>& v, index_t first_token) {
  using storage = cache_storage<Storage>;
  using number = typename storage::number;
  const auto most = std::size_t(std::max(layout.channels, layout.value_channels));
  buffer<T> row(most);
  buffer<number> stored(most);
  const std::span<T> key(row.data(), std::size_t(layout.channels)), value(row.data(), std::size_t(layout.value_channels));
  T *const key_scales = layout.key_scales(page, head), *const value_scales = layout.value_scales(page, head);
  for (index_t j = own.keys.first; j < own.keys.last; ++j) {
    const index_t at = j % page_layout<Storage>::keys, token = j - first_token, scale = layout.scaled ? at : 0;
    copy_row(k.row(token), k.channel_stride, key.data(), 1, k.channels);
    rows.key(key, own.at(longspan::token::role::key, own.first_key + j - own.keys.first, head));
    if constexpr (storage::turned) detail::hadamard(key);
    storage::write(key, stored.data(), key_scales + scale);
    for (index_t c = 0; c < layout.channels; ++c) layout.key_at(page, head, at, c) = stored[std::size_t(c)];
    copy_row(v.row(token), v.channel_stride, value.data(), 1, v.channels);
    if constexpr (storage::turned) detail::hadamard(value);
    storage::write(value, stored.data(), value_scales + scale);
    for (index_t c = 0; c < layout.value_channels; ++c) layout.value_at(page, head, at, c) = stored[std::size_t(c)];
  }
}

// Writes the tokens of row `batch` of two tensors behind a text, page by page.
template <device D, class Storage, class T, class K, class V>
void write_text(const D& d, const page_layout<Storage>& layout, cache_rows<T>& rows, index_t text_number,
                const longer_text<Storage>& of, const view<K>& k, const view<V>& v, index_t batch) {
  const interval places = of.places();
  detail::cut_at_multiples(places, page_layout<Storage>::keys, [&](interval some) {
    const text own{text_number, text_number, {}, some, 0, layout.first_key + some.first, layout.first_key + some.last};
    rows.reach(std::span(&own, 1));
    detail::for_each_item(d, layout.key_heads, [&](index_t, index_t h) {
      detail::write_tokens(layout, rows, own, of.page_of(some.first), h, k.head(batch, h), v.head(batch, h), places.first);
    });
  });
}

// Throws shape_error where tokens for so many texts do not fit a cache.
template <class Storage, class K, class V>
void require_tokens(const page_layout<Storage>& layout, index_t texts, const view<K>& k, const view<V>& v) {
  require_memory("key", k), require_memory("value", v);
  require_equal("key", "cache", "texts", k.extent[0], texts);
  require_equal("value", "cache", "texts", v.extent[0], texts);
  require_equal("key", "cache", "heads", k.extent[1], layout.key_heads);
  require_equal("value", "cache", "heads", v.extent[1], layout.key_heads);
  require_equal("key", "value", "tokens", k.extent[2], v.extent[2]);
  require_equal("key", "cache", "channels", k.extent[3], layout.channels);
  require_equal("value", "cache", "channels", v.extent[3], layout.value_channels);
}

}  // namespace detail
LONGSPAN_NAMESPACE_END

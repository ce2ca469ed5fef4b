#pragma once

#include <algorithm>
#include <cstddef>
#include <span>

#include <longspan/cache/cache_rows.hpp>
#include <longspan/cache/page.hpp>
#include <longspan/cache/storage.hpp>
#include <longspan/core/index.hpp>
#include <longspan/core/text.hpp>
#include <longspan/core/token.hpp>
#include <longspan/tensor/view.hpp>
#include <longspan/tile/buffer.hpp>

LONGSPAN_NAMESPACE_BEGIN
namespace detail {

// Writes the tokens of a text at its key places, all of one page, of one head: keys as `rows` prepare them, and values. The token at place
// j is number j - first_token of the head's rows.
template <class Storage, class T, class K, class V>
void write_tokens(const page_layout<Storage>& layout, const cache_rows<T>& rows, const text& own, std::byte* page, index_t head,
                  const head_view<K>& k, const head_view<V>& v, index_t first_token) {
  using storage = cache_storage<Storage>;
  constexpr index_t panel = page_layout<Storage>::panel;
  buffer<T> numbers(std::size_t(std::max(layout.channels, layout.value_channels)));
  const std::span<T> key(numbers.data(), std::size_t(layout.channels)), value(numbers.data(), std::size_t(layout.value_channels));
  T *const key_scales = layout.key_scales(page, head), *const value_scales = layout.value_scales(page, head);
  const interval places = own.key_places();
  for (index_t j = places.first; j < places.last; ++j) {
    const index_t at = j % page_layout<Storage>::keys, token = j - first_token;
    copy_row(k.row(token), k.channel_stride, key.data(), 1, k.channels);
    rows.key(key, own.at(longspan::token::role::key, j, head));
    storage::write(key, layout.key_panel(page, head, at) + at % panel, panel, key_scales + (layout.scaled ? at : 0));
    copy_row(v.row(token), v.channel_stride, value.data(), 1, v.channels);
    storage::write(value, layout.value_row(page, head, at), 1, value_scales + (layout.scaled ? at : 0));
  }
}

}  // namespace detail
LONGSPAN_NAMESPACE_END

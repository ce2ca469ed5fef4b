#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <type_traits>

#include <longspan/core/index.hpp>
#include <longspan/core/interval.hpp>
#include <longspan/core/shape_error.hpp>
#include <longspan/tensor/checked.hpp>
#include <longspan/tensor/view.hpp>

LONGSPAN_NAMESPACE_BEGIN

// Keys and values of texts that lie in pages of an engine's own memory, as vLLM keeps them: two pools of pages, and for each text the
// numbers of its pages, in order.
//   keys     (page, key_head, token of a page, channel), of any strides: the pages may lie (token, key_head, channel) too
//   values   (page, key_head, token of a page, value_channel), as many pages and tokens of a page
//   table    (text, page of the text): as many numbers for each text, the longest text's or more; those beyond a text's tokens are not read
//   lengths  how many tokens each text has
// The engine writes the pages, and shares them between texts as it likes: texts that follow each other with one prompt read its pages once.
// Keys are read where they lie where they need no preparation (prepared_keys), channels lie side by side in whole batches, and pages hold
// whole batches of 16 tokens, else row by row. The spans must live until the call returns.
template <class K, class V = K>
struct paged {
  view<const K> keys;
  view<const V> values;
  std::span<const std::int32_t> table;
  std::span<const index_t> lengths;
};
template <class K, class V, class Table, class Lengths>
paged(view<K>, view<V>, Table, Lengths) -> paged<std::remove_const_t<K>, std::remove_const_t<V>>;

// Pages whose keys `prepare_keys` wrote: they are multiplied as they are, whatever row parts the sentence has.
//
//   forward(mechanism, q, prepared_keys{paged{keys, values, table, lengths}})
template <class Pages>
struct prepared_keys {
  Pages pages;
};
template <class Pages>
prepared_keys(Pages) -> prepared_keys<Pages>;

namespace detail {

template <class X>
inline constexpr bool is_paged = false;
template <class K, class V>
inline constexpr bool is_paged<paged<K, V>> = true;
template <class K, class V>
inline constexpr bool is_paged<prepared_keys<paged<K, V>>> = true;

template <class K, class V>
const paged<K, V>& pages_in(const paged<K, V>& of) {
  return of;
}
template <class K, class V>
const paged<K, V>& pages_in(const prepared_keys<paged<K, V>>& of) {
  return of.pages;
}

// The tokens of one head of a text in pages: see head_rows.
template <class S>
struct paged_head {
  using number = std::remove_const_t<S>;
  S* data = nullptr;  // of the head, in page 0
  const std::int32_t* pages = nullptr;
  index_t page_tokens = 1, page_stride = 0;
  index_t tokens = 0, channels = 0;
  index_t token_stride = 0, channel_stride = 0;

  S* row(index_t token) const { return data + pages[token / page_tokens] * page_stride + token % page_tokens * token_stride; }
  index_t together_until(index_t token) const { return (token / page_tokens + 1) * page_tokens; }
};

// The keys of texts in pages, or their values; of one text, its own: what a view is to tensors.
template <class S>
struct paged_view {
  view<S> pool;
  std::span<const std::int32_t> pages;  // of every text, `each` of them
  index_t each = 0, tokens = 0;

  paged_head<S> head(index_t, index_t h) const {
    const auto of_page = pool.head(0, h);
    return {of_page.data, pages.data(),     of_page.tokens,       pool.stride[0],
            tokens,       of_page.channels, of_page.token_stride, of_page.channel_stride};
  }
  paged_view tokens_of(index_t text, interval of) const {
    return {pool, pages.subspan(std::size_t(text * each), std::size_t(each)), each, of.size()};
  }
  const view<S>& memory() const { return pool; }
  bool heads_side_by_side() const { return true; }
  bool tokens_are_rows() const { return pool.tokens_are_rows(); }
  // Whether another text has the same pages of some keys.
  bool shares(const paged_view& other, interval keys) const {
    const auto page_of = [&](index_t key) { return std::size_t(key / pool.extent[2]); };
    for (std::size_t p = page_of(keys.first); p <= page_of(keys.last - 1); ++p)
      if (p >= pages.size() || p >= other.pages.size() || pages[p] != other.pages[p]) return false;
    return true;
  }
};

// Throws shape_error where pools, table and lengths do not fit each other, naming the text.
template <class K, class V>
void require_pages(const paged<K, V>& of) {
  require_memory("key pages", of.keys), require_memory("value pages", of.values);
  require_equal("key pages", "value pages", "pages", of.keys.extent[0], of.values.extent[0]);
  require_equal("key pages", "value pages", "heads", of.keys.extent[1], of.values.extent[1]);
  require_equal("key pages", "value pages", "tokens", of.keys.extent[2], of.values.extent[2]);
  if (of.keys.extent[1] < 1 || of.keys.extent[2] < 1 || of.keys.extent[3] < 1 || of.values.extent[3] < 1)
    throw shape_error("paged: pages hold at least one head, token and channel");
  const auto texts = of.lengths.size();
  if (texts == 0 ? !of.table.empty() : of.table.size() % texts != 0)
    throw shape_error("paged: the table needs as many pages for each text: " + std::to_string(of.table.size()) + " for " +
                      std::to_string(texts) + " texts");
  const index_t each = texts == 0 ? 0 : index_t(of.table.size() / texts), page_tokens = of.keys.extent[2];
  for (std::size_t t = 0; t < texts; ++t) {
    if (of.lengths[t] < 0 || of.lengths[t] > each * page_tokens)
      throw shape_error("paged: text " + std::to_string(t) + " must have from 0 to the " + std::to_string(each * page_tokens) +
                        " tokens of its pages, not " + std::to_string(of.lengths[t]));
    for (index_t p = 0; p * page_tokens < of.lengths[t]; ++p) {
      const index_t number = of.table[t * std::size_t(each) + std::size_t(p)];
      if (number < 0 || number >= of.keys.extent[0])
        throw shape_error("paged: page " + std::to_string(p) + " of text " + std::to_string(t) + " is number " +
                          std::to_string(number) + " of " + std::to_string(of.keys.extent[0]) + " pages");
    }
  }
}

}  // namespace detail
LONGSPAN_NAMESPACE_END

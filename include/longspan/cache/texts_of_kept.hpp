#pragma once

#include <algorithm>
#include <cstddef>

#include <longspan/cache/cache_shape.hpp>
#include <longspan/core/shape_error.hpp>
#include <longspan/core/shapes.hpp>
#include <longspan/core/text.hpp>
#include <longspan/mechanism/batch_of_texts.hpp>
#include <longspan/tensor/checked.hpp>
#include <longspan/tensor/placement.hpp>
#include <longspan/tensor/view.hpp>
#include <longspan/tile/buffer.hpp>

LONGSPAN_NAMESPACE_BEGIN
namespace detail {

// The lengths of a call with queries over keys that are kept, and its texts: the queries are the last tokens of theirs unless `where` says
// otherwise. Throws shape_error.
struct texts_of_kept {
  shapes lengths;
  buffer<text> texts;

  // length_of(t) is the number of tokens of a text.
  template <class Q, class LengthOf>
  texts_of_kept(const view<Q>& q, const cache_shape& of, LengthOf length_of, const placement& where) {
    require_queries(q, of, where);
    lengths = {.batch = q.extent[0],
               .heads = q.extent[1],
               .key_heads = of.key_heads,
               .queries = q.extent[2],
               .channels = of.channels,
               .value_channels = of.value_channels};
    for (index_t t = 0; t < of.texts; ++t) {
      const index_t keys = length_of(t), all = all_keys_of(of.first_key + keys, where),
                    queries = where.query_lengths ? (*where.query_lengths)[std::size_t(t)] : lengths.queries;
      texts.push_back({t, t, {0, queries}, {0, keys}, where.first_query.value_or(all - queries), of.first_key, all});
      lengths.keys = std::max(lengths.keys, keys);
    }
    lengths.first_key = of.first_key;
    lengths.all_keys = where.all_keys.value_or(lengths.first_key + lengths.keys);
    lengths.first_query = where.first_query.value_or(lengths.all_keys - lengths.queries);
  }

  // The texts without their keys, for tables of positions: keys were turned before.
  buffer<text> of_queries() const {
    buffer<text> each(texts);
    for (text& one : each) one.keys = {};
    return each;
  }

 private:
  // Of a text whose keys in the cache end at a place: these are all there are unless the call says otherwise.
  static index_t all_keys_of(index_t end, const placement& where) {
    if (!where.all_keys) return end;
    require_position("all_keys", *where.all_keys);
    require_all_keys(end, *where.all_keys);
    return *where.all_keys;
  }

  template <class Q>
  static void require_queries(const view<Q>& q, const cache_shape& of, const placement& where) {
    if (where.key_lengths || where.key_starts || where.query_starts || where.first_key != 0)
      throw shape_error(
          "placement: a cache knows its keys: of a call over one, first_query, query_lengths and all_keys may be said");
    require_memory("query", q);
    require_equal("query", "cache", "texts", q.extent[0], of.texts);
    require_equal("query", "cache", "channels", q.extent[3], of.channels);
    require_groups(q.extent[1], of.key_heads);
    require_lengths("query_lengths", where.query_lengths, q.extent[0], q.extent[2]);
    if (where.first_query) require_position("first_query", *where.first_query);
  }
};

}  // namespace detail
LONGSPAN_NAMESPACE_END

#pragma once

#include <limits>
#include <string>

#include <longspan/core/shape_error.hpp>
#include <longspan/core/shapes.hpp>
#include <longspan/tensor/placement.hpp>
#include <longspan/tensor/view.hpp>

LONGSPAN_NAMESPACE_BEGIN
namespace detail {

template <class S>
void require_memory(const char* name, const view<S>& tensor) {
  for (const index_t extent : tensor.extent)
    if (extent < 0) throw shape_error(std::string(name) + " has a negative extent: " + std::to_string(extent));
  if (tensor.size() > 0 && tensor.data == nullptr)
    throw shape_error(std::string(name) + " has no memory behind its " + std::to_string(tensor.size()) + " elements");
}

// A position far enough from the ends of index_t that distances and ends of tiles are representable.
inline constexpr index_t most_position = std::numeric_limits<index_t>::max() / 4;
inline void require_position(const char* field, index_t position) {
  if (position < -most_position || position > most_position)
    throw shape_error(std::string("placement: ") + field + " must lie within " + std::to_string(most_position) + " of 0, not " +
                      std::to_string(position));
}

inline void require_all_keys(index_t end, index_t all_keys) {
  if (end > all_keys)
    throw shape_error("placement: keys end beyond all keys: " + std::to_string(end) + " and " + std::to_string(all_keys));
}

// Each key head is that of as many query heads.
inline void require_groups(index_t heads, index_t key_heads) {
  if (key_heads == 0 ? heads != 0 : heads % key_heads != 0)
    throw shape_error("query heads must be a multiple of key heads: " + std::to_string(heads) + " and " +
                      std::to_string(key_heads));
}

inline shapes placed(shapes lengths, const placement& where) {
  require_position("first_key", where.first_key);
  if (where.first_query) require_position("first_query", *where.first_query);
  if (where.all_keys) require_position("all_keys", *where.all_keys);
  lengths.first_key = where.first_key;
  lengths.all_keys = where.all_keys.value_or(where.first_key + lengths.keys);
  lengths.first_query = where.first_query.value_or(lengths.all_keys - lengths.queries);
  if (lengths.first_key < 0)
    throw shape_error("placement: first_key must be at least 0, not " + std::to_string(lengths.first_key));
  require_all_keys(lengths.first_key + lengths.keys, lengths.all_keys);
  return lengths;
}

// The lengths of a call whose inputs fit each other. Throws shape_error, naming the axis and both numbers.
template <class Q, class K, class V>
shapes checked(const view<Q>& q, const view<K>& k, const view<V>& v, const placement& where) {
  require_memory("query", q);
  require_memory("key", k);
  require_memory("value", v);
  require_equal("query", "key", "batch", q.extent[0], k.extent[0]);
  require_equal("key", "value", "batch", k.extent[0], v.extent[0]);
  require_equal("key", "value", "heads", k.extent[1], v.extent[1]);
  require_equal("key", "value", "tokens", k.extent[2], v.extent[2]);
  require_equal("query", "key", "channels", q.extent[3], k.extent[3]);
  if (q.extent[3] == 0) throw shape_error("query and key have no channels");
  if (v.extent[3] == 0) throw shape_error("value has no channels");
  require_groups(q.extent[1], k.extent[1]);
  return placed({.batch = q.extent[0],
                 .heads = q.extent[1],
                 .key_heads = k.extent[1],
                 .queries = q.extent[2],
                 .keys = k.extent[2],
                 .channels = q.extent[3],
                 .value_channels = v.extent[3]},
                where);
}

// Throws shape_error where a result does not fit: output (batch, head, query, value_channel).
template <class S>
void require_results(const shapes& lengths, const char* name, const view<S>& result, index_t channels) {
  require_memory(name, result);
  require_equal(name, "query", "batch", result.extent[0], lengths.batch);
  require_equal(name, "query", "heads", result.extent[1], lengths.heads);
  require_equal(name, "query", "tokens", result.extent[2], lengths.queries);
  require_equal(name, "value", "channels", result.extent[3], channels);
}

template <class S>
void require_one_a_row(const char* name, const view<S>& sums) {
  if (sums.extent[3] != 1)
    throw shape_error(std::string(name) +
                      " has one number a row, as a view (batch, head, query, 1): its last extent must be 1, not " +
                      std::to_string(sums.extent[3]));
}

// The same for a number a row: log_sum_exp (batch, head, query), as a view (batch, head, query, 1).
template <class S>
void require_sums(const shapes& lengths, const char* name, const view<S>& sums) {
  require_one_a_row(name, sums);
  require_results(lengths, name, sums, 1);
}

// Throws shape_error where a gradient does not have the shape of what it belongs to.
template <class D, class S>
void require_like(const char* name, const view<D>& gradient, const char* of, const view<S>& tensor) {
  require_memory(name, gradient);
  constexpr const char* axes[] = {"batch", "heads", "tokens", "channels"};
  for (std::size_t axis = 0; axis < 4; ++axis) require_equal(name, of, axes[axis], gradient.extent[axis], tensor.extent[axis]);
}

}  // namespace detail
LONGSPAN_NAMESPACE_END

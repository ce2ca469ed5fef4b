#pragma once

#include <string>

#include <longspan/core/index.hpp>
#include <longspan/core/shape_error.hpp>
#include <longspan/core/shapes.hpp>
#include <longspan/tensor/checked.hpp>

LONGSPAN_NAMESPACE_BEGIN

// What a cache is made for.
struct cache_shape {
  index_t key_heads = 1;
  index_t channels = 0, value_channels = 0;
  index_t texts = 1;
  index_t first_key = 0;  // the place of the first token that it will hold, of texts whose earlier ones are kept elsewhere
};

namespace detail {

// Throws shape_error where one of them is not positive.
inline const cache_shape& require_positive_shape(const cache_shape& of) {
  if (of.key_heads < 1 || of.channels < 1 || of.value_channels < 1 || of.texts < 1)
    throw shape_error("kv_cache: key_heads, channels, value_channels and texts must be at least 1, not " +
                      std::to_string(of.key_heads) + ", " + std::to_string(of.channels) + ", " +
                      std::to_string(of.value_channels) + " and " + std::to_string(of.texts));
  if (of.first_key < 0) throw shape_error("kv_cache: first_key must be at least 0, not " + std::to_string(of.first_key));
  if (of.first_key > most_position)
    throw shape_error("kv_cache: first_key must be at most " + std::to_string(most_position) + ", not " +
                      std::to_string(of.first_key));
  return of;
}

// As those of a call without queries and keys.
inline shapes lengths_of(const cache_shape& of) {
  return {.batch = of.texts,
          .heads = of.key_heads,
          .key_heads = of.key_heads,
          .channels = of.channels,
          .value_channels = of.value_channels,
          .first_key = of.first_key};
}

}  // namespace detail

LONGSPAN_NAMESPACE_END

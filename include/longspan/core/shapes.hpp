#pragma once

#include <longspan/core/index.hpp>
#include <longspan/core/interval.hpp>

LONGSPAN_NAMESPACE_BEGIN

// The lengths of one call, after all checks. A part's `check` is given them, and tables are made for them.
struct shapes {
  index_t batch = 0, heads = 0, key_heads = 0;
  index_t queries = 0, keys = 0;
  index_t channels = 0, value_channels = 0;
  index_t first_query = 0, first_key = 0, all_keys = 0;  // absolute positions, as `placement` gave them

  constexpr index_t group() const { return heads / key_heads; }  // query heads that share one key head
  constexpr interval query_positions() const { return {first_query, first_query + queries}; }
  constexpr interval key_positions() const { return {first_key, first_key + keys}; }
};

LONGSPAN_NAMESPACE_END

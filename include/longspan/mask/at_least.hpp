#pragma once

#include <longspan/core/interval.hpp>
#include <longspan/core/query_row.hpp>
#include <longspan/core/require.hpp>
#include <longspan/core/shapes.hpp>

LONGSPAN_NAMESPACE_BEGIN

// A query sees the keys that stand at least `distance` tokens before it: position - j >= distance. What sliding_window{distance - 1} leaves
// of the keys before the query: a sum of sentences reads near and far differently. The largest index hides all keys, 0 makes the mask
// causal. Throws std::invalid_argument for a negative distance.
struct at_least {
  static constexpr bool by_position_alone = true;
  index_t distance;

  interval operator()(const query_row& row) const { return {0, row.position < distance ? 0 : row.position - distance + 1}; }

  void check(const shapes&) const { detail::require(distance >= 0, "at_least: distance", "at least 0", distance); }
};

LONGSPAN_NAMESPACE_END

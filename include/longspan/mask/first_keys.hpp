#pragma once

#include <longspan/core/interval.hpp>
#include <longspan/core/query_row.hpp>
#include <longspan/core/require.hpp>
#include <longspan/core/shapes.hpp>

LONGSPAN_NAMESPACE_BEGIN

// Every query sees the first `count` keys of the text, also those that stand after it: j < count. Beside causal{} or at_least{t} these are
// the sinks that streaming_llm and lm_infinite read far away. Throws std::invalid_argument for a negative count.
struct first_keys {
  static constexpr bool by_position_alone = true;
  index_t count;

  interval operator()(const query_row&) const { return {0, count}; }
  interval later(index_t) const { return {0, count}; }

  void check(const shapes&) const { detail::require(count >= 0, "first_keys: count", "at least 0", count); }
};

LONGSPAN_NAMESPACE_END

#pragma once

#include <longspan/core/interval.hpp>
#include <longspan/core/query_row.hpp>

LONGSPAN_NAMESPACE_BEGIN

// A query sees itself and what stands before it: j <= position.
struct causal {
  static constexpr bool by_position_alone = true;

  interval operator()(const query_row& row) const { return {0, row.position + 1}; }
};

LONGSPAN_NAMESPACE_END

#pragma once

#include <longspan/core/interval.hpp>
#include <longspan/core/query_row.hpp>

LONGSPAN_NAMESPACE_BEGIN

// Every query sees every key: bidirectional attention, and cross attention.
struct everything {
  static constexpr bool by_position_alone = true;

  interval operator()(const query_row& row) const { return {0, row.keys}; }
};

LONGSPAN_NAMESPACE_END

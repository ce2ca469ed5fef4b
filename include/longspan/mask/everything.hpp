#pragma once

#include <longspan/core/interval.hpp>
#include <longspan/core/query_row.hpp>

namespace longspan::inline LONGSPAN_ISA {

// Every query sees every key: bidirectional attention, and cross attention.
struct everything {
  interval operator()(const query_row& row) const { return {0, row.keys}; }
};

}  // namespace longspan::inline LONGSPAN_ISA

#pragma once

#include <longspan/core/interval.hpp>
#include <longspan/core/query_row.hpp>

namespace longspan::inline LONGSPAN_ISA {

// A query sees itself and what stands before it: j <= position.
struct causal {
  interval operator()(const query_row& row) const { return {0, row.position + 1}; }
};

}  // namespace longspan::inline LONGSPAN_ISA

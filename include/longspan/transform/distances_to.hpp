#pragma once

#include <algorithm>

#include <longspan/core/index.hpp>
#include <longspan/core/interval.hpp>
#include <longspan/core/query_row.hpp>

LONGSPAN_NAMESPACE_BEGIN
namespace detail {

struct nearest_and_farthest {
  index_t nearest, farthest;
};

// The distances |i - j| of a query to the nearest and to the farthest of some keys, of which there is one.
constexpr nearest_and_farthest distances_to(const query_row& row, interval keys) {
  const index_t after = row.position - keys.first, before = keys.last - 1 - row.position;
  return {std::max({-after, -before, index_t(0)}), std::max(after, before)};
}

}  // namespace detail
LONGSPAN_NAMESPACE_END

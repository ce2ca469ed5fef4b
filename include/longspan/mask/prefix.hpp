#pragma once

#include <algorithm>

#include <longspan/core/interval.hpp>
#include <longspan/core/query_row.hpp>
#include <longspan/core/require.hpp>
#include <longspan/core/shapes.hpp>

LONGSPAN_NAMESPACE_BEGIN

// Prefix-LM (T5, arXiv 1910.10683): every query sees the first `length` keys, and the rest causally. Throws std::invalid_argument for a
// negative length.
struct prefix {
  static constexpr bool by_position_alone = true;
  index_t length;

  interval operator()(const query_row& row) const { return {0, std::max(length, row.position + 1)}; }

  void check(const shapes&) const { detail::require(length >= 0, "prefix: length", "at least 0", length); }
};

LONGSPAN_NAMESPACE_END

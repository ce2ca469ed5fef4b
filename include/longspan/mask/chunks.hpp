#pragma once

#include <limits>

#include <longspan/core/interval.hpp>
#include <longspan/core/query_row.hpp>
#include <longspan/core/require.hpp>
#include <longspan/core/shapes.hpp>

LONGSPAN_NAMESPACE_BEGIN

// Chunked attention (Llama 4, layers with rope, chunks of 8192): a query sees its own key and the keys before it in its own chunk of `size`
// tokens: floor(position / size) size <= j <= position. The largest index stands for one chunk, and the mask is then causal. Throws
// std::invalid_argument for a size below 1.
struct chunks {
  static constexpr bool by_position_alone = true;
  index_t size;

  // A query that stands before the keys sees none: the quotient, which is rounded to 0, does not matter.
  interval operator()(const query_row& row) const { return {row.position / size * size, row.position + 1}; }

  interval later(index_t position) const { return {position / size * size, std::numeric_limits<index_t>::max()}; }

  void check(const shapes&) const { detail::require(size >= 1, "chunks: size", "at least 1", size); }
};

LONGSPAN_NAMESPACE_END

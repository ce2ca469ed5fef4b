#pragma once

#include <algorithm>

#include <longspan/core/interval.hpp>
#include <longspan/core/query_row.hpp>
#include <longspan/core/require.hpp>
#include <longspan/core/shapes.hpp>

LONGSPAN_NAMESPACE_BEGIN

// StreamingLLM (arXiv 2309.17453): causal, and j < sinks or t < window. Throws std::invalid_argument where either is negative.
struct sinks_and_window {
  index_t sinks = 4;
  index_t window;

  intervals<2> operator()(const query_row& row) const {
    const index_t last = row.position + 1;
    return {interval{0, std::min(sinks, last)}, interval{last - window, last}};
  }

  void check(const shapes&) const {
    require(sinks >= 0, "sinks_and_window: sinks", "at least 0", sinks);
    require(window >= 0, "sinks_and_window: window", "at least 0", window);
  }
};

LONGSPAN_NAMESPACE_END

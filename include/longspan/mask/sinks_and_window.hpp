#pragma once

#include <algorithm>
#include <array>
#include <limits>

#include <longspan/core/interval.hpp>
#include <longspan/core/query_row.hpp>
#include <longspan/core/require.hpp>
#include <longspan/core/shapes.hpp>

LONGSPAN_NAMESPACE_BEGIN

// StreamingLLM (arXiv 2309.17453): a query sees the first `sinks` keys of the text and a window of the last `window` tokens, its own
// among them: j <= position, and j < sinks or position - j < window. (sliding_window counts the keys before the query's own instead.)
// Throws std::invalid_argument where either is negative.
//
// With rope, sinks stand at their positions in the text, ever further from the query: SmolLM2-135M breaks down with them at 1.6 times its
// trained length, with sinks right before the window at none that was tried (2 times). The paper means positions in the cache: sinks as if
// they stood right before the window, so that no distance was never trained: streaming_llm (method/streaming_llm.hpp).
struct sinks_and_window {
  static constexpr bool by_position_alone = true;
  index_t sinks = 4;
  index_t window;

  std::array<interval, 2> operator()(const query_row& row) const {
    const index_t last = row.position + 1;
    return {interval{0, std::min(sinks, last)}, interval{last - std::min(window, std::max<index_t>(last, 0)), last}};
  }

  std::array<interval, 2> later(index_t position) const {
    const index_t last = std::max<index_t>(position + 1, 0);
    return {interval{0, sinks}, interval{last - std::min(window, last), std::numeric_limits<index_t>::max()}};
  }

  void check(const shapes&) const {
    detail::require(sinks >= 0, "sinks_and_window: sinks", "at least 0", sinks);
    detail::require(window >= 0, "sinks_and_window: window", "at least 0", window);
  }
};

LONGSPAN_NAMESPACE_END

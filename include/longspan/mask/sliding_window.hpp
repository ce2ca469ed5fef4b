#pragma once

#include <algorithm>
#include <limits>

#include <longspan/core/interval.hpp>
#include <longspan/core/query_row.hpp>
#include <longspan/core/require.hpp>
#include <longspan/core/shapes.hpp>

LONGSPAN_NAMESPACE_BEGIN

// A query sees its own key, `before` keys before it and `after` keys after it: position - before <= j <= position + after, the left and
// right window sizes of ONNX and of flash-attention. A window of w tokens that ends with the query's own, which is what
// sinks_and_window{.window = w} counts, is sliding_window{.before = w - 1}. Throws std::invalid_argument for a negative size.
struct sliding_window {
  static constexpr bool by_position_alone = true;
  index_t before;
  index_t after = 0;

  // Cut at the ends of the text, so that the largest index is as good as no bound.
  interval operator()(const query_row& row) const {
    const index_t rest = std::max<index_t>(row.keys - row.position, 0);
    return {row.position - std::min(before, std::max<index_t>(row.position, 0)),
            row.position + (after < rest ? after + 1 : rest)};
  }

  interval later(index_t position) const {
    return {position - std::min(before, std::max<index_t>(position, 0)), std::numeric_limits<index_t>::max()};
  }

  void check(const shapes&) const {
    detail::require(before >= 0, "sliding_window: before", "at least 0", before);
    detail::require(after >= 0, "sliding_window: after", "at least 0", after);
  }
};

LONGSPAN_NAMESPACE_END

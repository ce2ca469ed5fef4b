#pragma once

#include <longspan/core/interval.hpp>
#include <longspan/core/query_row.hpp>
#include <longspan/core/require.hpp>
#include <longspan/core/shapes.hpp>

LONGSPAN_NAMESPACE_BEGIN

// A query sees `left` keys before its own, its own, and `right` keys after it: position - left <= j <= position + right, the window
// sizes of ONNX and of flash-attention. A window of w tokens that ends with the query's own, 0 <= t < w, is sliding_window{w - 1}.
// Throws std::invalid_argument for a negative left or right.
struct sliding_window {
  index_t left;
  index_t right = 0;

  interval operator()(const query_row& row) const { return {row.position - left, row.position + right + 1}; }

  void check(const shapes&) const {
    require(left >= 0, "sliding_window: left", "at least 0", left);
    require(right >= 0, "sliding_window: right", "at least 0", right);
  }
};

LONGSPAN_NAMESPACE_END

#pragma once

#include <longspan/core/index.hpp>
#include <longspan/core/require.hpp>
#include <longspan/mask/at_least.hpp>
#include <longspan/mask/first_keys.hpp>
#include <longspan/mask/sliding_window.hpp>
#include <longspan/mechanism.hpp>
#include <longspan/method/position.hpp>
#include <longspan/method/unturned.hpp>
#include <longspan/position/mapped_rotation.hpp>
#include <longspan/position/rope.hpp>
#include <longspan/score/dot_product.hpp>

LONGSPAN_NAMESPACE_BEGIN

// StreamingLLM (arXiv 2309.17453) with positions in the paper's cache: a query sees the last `window` tokens, its own among them, and the
// first `sinks` of the text as if they stood right before the window, so that no distance exceeds a + w - 1 (sinks_and_window leaves them
// at their places in the text). The sum of
//   near, t < w       turned | scored | sliding_window{w - 1}
//   far, j < a        turned.at(min(i, a + w - 1), j) | scored | first_keys{a} | at_least{w}
// `scored` is the score and what follows it up to the masks, `turned` the rotation. Keys are turned by their places in both summands: one
// cache keeps them. Throws std::invalid_argument for a window below 1 and a negative number of sinks.
template <detail::unturned Scored = dot_product, rotation Rotation = rope>
auto streaming_llm(index_t sinks, index_t window, const Scored& scored = {}, const Rotation& turned = {}) {
  detail::require(sinks >= 0, "streaming_llm: sinks", "at least 0", sinks);
  detail::require(window >= 1, "streaming_llm: window", "at least 1", window);
  return (turned | scored | sliding_window{window - 1}) +
         (mapped_rotation{turned, detail::bounded_position{detail::bounded_sum(sinks, window - 1)}, detail::own_place{}} |
          scored | first_keys{sinks} | at_least{window});
}

LONGSPAN_NAMESPACE_END

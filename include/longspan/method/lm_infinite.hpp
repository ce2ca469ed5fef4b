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

// LM-Infinite (arXiv 2308.16137): a query sees the last `trained` tokens, its own among them, and the first `sinks` of the text, these at a
// distance of at most `trained`. The sum of
//   near, t < m          turned | scored | sliding_window{m - 1}
//   far, j < sinks       turned.at(m, 0) | scored | first_keys{sinks} | at_least{m}
// `scored` is the score and what follows it up to the masks, `turned` the rotation. Keys are turned in two ways, so that a cache cannot
// keep them for both. Throws std::invalid_argument for a trained length below 1 and a negative number of sinks.
template <detail::unturned Scored = dot_product, rotation Rotation = rope>
auto lm_infinite(index_t trained, index_t sinks = 10, const Scored& scored = {}, const Rotation& turned = {}) {
  detail::require(trained >= 1, "lm_infinite: trained", "at least 1", trained);
  detail::require(sinks >= 0, "lm_infinite: sinks", "at least 0", sinks);
  return (turned | scored | sliding_window{trained - 1}) +
         (mapped_rotation{turned, detail::one_position{trained}, detail::one_position{0}} | scored | first_keys{sinks} |
          at_least{trained});
}

LONGSPAN_NAMESPACE_END

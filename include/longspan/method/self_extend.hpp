#pragma once

#include <longspan/core/index.hpp>
#include <longspan/core/require.hpp>
#include <longspan/mask/at_least.hpp>
#include <longspan/mask/sliding_window.hpp>
#include <longspan/mechanism.hpp>
#include <longspan/method/position.hpp>
#include <longspan/method/unturned.hpp>
#include <longspan/position/mapped_rotation.hpp>
#include <longspan/position/rope.hpp>
#include <longspan/score/dot_product.hpp>

LONGSPAN_NAMESPACE_BEGIN

// SelfExtend (arXiv 2401.01325): causal attention that beyond `window` counts positions in groups of `group` tokens. The sum of
//   near, t < w   turned | scored | sliding_window{w - 1}
//   far           turned.at(floor(i/G) + w - floor(w/G), floor(j/G)) | scored | at_least{w}
// `scored` is the score and what follows it up to the masks, `turned` the rotation. Keys are turned in two ways, so that a cache cannot
// keep them for both. Throws std::invalid_argument for a group or a window below 1.
template <detail::unturned Scored = dot_product, rotation Rotation = rope>
auto self_extend(index_t group, index_t window, const Scored& scored = {}, const Rotation& turned = {}) {
  detail::require(group >= 1, "self_extend: group", "at least 1", group);
  detail::require(window >= 1, "self_extend: window", "at least 1", window);
  const detail::grouped_position query{group, window - window / group}, key{group, 0};
  return (turned | scored | sliding_window{window - 1}) + (mapped_rotation{turned, query, key} | scored | at_least{window});
}

LONGSPAN_NAMESPACE_END

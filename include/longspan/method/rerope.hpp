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

// ReRoPE (Su 2023): causal attention whose rotations know no distance above `window`: rows turn by min(t, w). `scored` is the score and
// what follows it up to the masks, `turned` the rotation; usually with log_n{.trained = m, .clamp = true}. The sum of
//   near, t < w   turned | scored | sliding_window{w - 1}
//   far           turned.at(w, 0) | scored | at_least{w}
// Keys are turned in two ways, so that a cache cannot keep them for both. Throws std::invalid_argument for a window below 1.
//
//   rerope(2048, dot_product{} | log_n{.trained = 4096, .clamp = true})
template <detail::unturned Scored = dot_product, rotation Rotation = rope>
auto rerope(index_t window, const Scored& scored = {}, const Rotation& turned = {}) {
  detail::require(window >= 1, "rerope: window", "at least 1", window);
  return (turned | scored | sliding_window{window - 1}) +
         (mapped_rotation{turned, detail::one_position{window}, detail::one_position{0}} | scored | at_least{window});
}

// Leaky ReRoPE (Su 2023): beyond `window` distances grow `factor` times as slowly: rows turn by w + (t - w) / k, which may be a fraction.
// Far rows turn by i/k + w - w/k and j/k; else as rerope. factor = 1 is causal attention, infinity is ReRoPE. Throws std::invalid_argument
// for a window below 1 and a factor below 1 or NaN.
template <detail::unturned Scored = dot_product, rotation Rotation = rope>
auto leaky_rerope(index_t window, double factor, const Scored& scored = {}, const Rotation& turned = {}) {
  detail::require(window >= 1, "leaky_rerope: window", "at least 1", window);
  detail::require(factor >= 1, "leaky_rerope: factor", "at least 1", factor);
  const double slope = 1 / factor, begin = double(window) * (1 - slope);
  return (turned | scored | sliding_window{window - 1}) +
         (mapped_rotation{turned, detail::line_of_positions{slope, begin}, detail::line_of_positions{slope, 0}} | scored |
          at_least{window});
}

LONGSPAN_NAMESPACE_END

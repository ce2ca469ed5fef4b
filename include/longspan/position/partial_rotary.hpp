#pragma once

#include <cmath>
#include <utility>

#include <longspan/core/require.hpp>
#include <longspan/core/shape_error.hpp>
#include <longspan/core/shapes.hpp>
#include <longspan/position/ladder.hpp>
#include <longspan/position/mapped_rotation.hpp>
#include <longspan/position/rope.hpp>
#include <longspan/position/scaling.hpp>

LONGSPAN_NAMESPACE_BEGIN

// Partial rotary (GPT-NeoX, Phi): RoPE over the first p d channels with exponents over p d; the others stay. Not p_rope, which
// keeps the fastest frequencies of the whole row. Throws shape_error where p d is odd, std::invalid_argument for a fraction
// outside [0, 1] or a base that is not positive and finite.
struct partial_rotary {
  double fraction = 0.25;
  double base = 10000;
  longspan::pairing pairing = longspan::pairing::halves;

  index_t rotated(index_t channels) const { return index_t(std::floor(fraction * double(channels) + 1e-9)); }

  ladder frequencies(index_t channels) const { return detail::geometric(base, rotated(channels), pairing); }

  // The rescalings of rope, over the channels that turn.
  detail::scaled<partial_rotary, detail::interpolation> interpolate(double factor) const { return {*this, {factor}}; }
  detail::scaled<partial_rotary, detail::ntk_aware> ntk(double factor) const { return {*this, {factor}}; }
  detail::scaled<partial_rotary, yarn_scaling> yarn(const yarn_scaling& scaling) const { return {*this, scaling}; }
  detail::scaled<partial_rotary, llama3_scaling> llama3(const llama3_scaling& scaling = {}) const { return {*this, scaling}; }
  detail::scaled<partial_rotary, longrope_scaling> longrope(const longrope_scaling& scaling) const { return {*this, scaling}; }
  // Rows turn by map(place), or queries and keys by maps of their own: see mapped_rotation.
  auto at(auto... maps) const { return mapped_rotation{*this, std::move(maps)...}; }

  void check(const shapes& lengths) const {
    detail::require(fraction >= 0 && fraction <= 1, "partial_rotary: fraction", "in [0, 1]", fraction);
    detail::require_even("partial_rotary", rotated(lengths.channels));
    detail::require_positive("partial_rotary: base", base);
  }
};

LONGSPAN_NAMESPACE_END

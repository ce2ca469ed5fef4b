#pragma once

#include <cmath>
#include <utility>

#include <longspan/core/require.hpp>
#include <longspan/core/shape_error.hpp>
#include <longspan/core/shapes.hpp>
#include <longspan/position/ladder.hpp>
#include <longspan/position/mapped_rotation.hpp>
#include <longspan/position/scaling.hpp>

LONGSPAN_NAMESPACE_BEGIN

namespace detail {

// A RoPE whose frequencies were rescaled for contexts longer than the trained one: what rope's members below return.
template <class Rope, class Scaling>
struct scaled {
  Rope plain;
  Scaling scaling;

  ladder frequencies(index_t channels) const {
    ladder rungs = plain.frequencies(channels);
    scaling(rungs, plain.base, 2 * index_t(rungs.frequencies.size()));
    return rungs;
  }
  auto at(auto... maps) const { return mapped_rotation{*this, std::move(maps)...}; }
  void check(const shapes& lengths) const {
    plain.check(lengths);
    shapes turning = lengths;
    turning.channels = 2 * index_t(plain.frequencies(lengths.channels).frequencies.size());
    scaling.check(turning);
  }

  bool operator==(const scaled&) const = default;
};

}  // namespace detail

// RoPE: channel pair i turns by position * base^(-2i/d) radians (arXiv 2104.09864). Throws shape_error for an odd number of
// channels, std::invalid_argument for a base that is not positive and finite.
struct rope {
  double base = 10000;
  longspan::pairing pairing = longspan::pairing::halves;

  ladder frequencies(index_t channels) const { return detail::geometric(base, channels, pairing); }

  // PI: positions divided by factor = length / trained (arXiv 2306.15595).
  detail::scaled<rope, detail::interpolation> interpolate(double factor) const { return {*this, {factor}}; }
  // NTK-aware: base * factor^(d/(d-2)), which stretches the slowest pair by factor and leaves the fastest.
  detail::scaled<rope, detail::ntk_aware> ntk(double factor) const { return {*this, {factor}}; }
  // Dynamic NTK for a text of `length` > trained tokens: the factor grows with the text.
  detail::scaled<rope, detail::ntk_aware> dynamic_ntk(double factor, index_t trained, index_t length) const {
    return ntk(length > trained ? factor * double(length) / double(trained) - (factor - 1) : 1);
  }
  // YaRN: slow pairs interpolated, fast ones kept, logits sharpened (arXiv 2309.00071).
  detail::scaled<rope, yarn_scaling> yarn(const yarn_scaling& scaling) const { return {*this, scaling}; }
  // Llama 3.1's piecewise rescaling by wavelength.
  detail::scaled<rope, llama3_scaling> llama3(const llama3_scaling& scaling = {}) const { return {*this, scaling}; }
  // LongRoPE: each frequency divided by a searched number (arXiv 2402.13753).
  detail::scaled<rope, longrope_scaling> longrope(const longrope_scaling& scaling) const { return {*this, scaling}; }

  // Rows turn by map(place), or queries and keys by maps of their own: see mapped_rotation.
  auto at(auto... maps) const { return mapped_rotation{*this, std::move(maps)...}; }

  void check(const shapes& lengths) const {
    detail::require_even("rope", lengths.channels);
    detail::require_positive("rope: base", base);
  }

  bool operator==(const rope&) const = default;
};

LONGSPAN_NAMESPACE_END

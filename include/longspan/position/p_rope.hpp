#pragma once

#include <cmath>
#include <utility>

#include <longspan/core/require.hpp>
#include <longspan/core/shape_error.hpp>
#include <longspan/core/shapes.hpp>
#include <longspan/position/ladder.hpp>
#include <longspan/position/mapped_rotation.hpp>

LONGSPAN_NAMESPACE_BEGIN

// p-RoPE: the fastest floor(p d/2) frequencies of RoPE over all d channels turn, the other pairs carry content alone (arXiv
// 2410.06205). p = 1 is RoPE, p = 0 is NoPE. Not partial_rotary, which turns a prefix of the channels. Throws shape_error for an
// odd number of channels, std::invalid_argument for a fraction outside [0, 1] or a base that is not positive and finite.
struct p_rope {
  double fraction = 0.75;
  double base = 10000;
  longspan::pairing pairing = longspan::pairing::halves;

  ladder frequencies(index_t channels) const {
    ladder rungs = detail::geometric(base, channels, pairing);
    const auto kept = std::size_t(std::floor(fraction * double(channels / 2) + 1e-9));  // 0.7 * 10 is 7, whatever its last bit
    for (std::size_t i = kept; i < rungs.frequencies.size(); ++i) rungs.frequencies[i] = 0;
    return rungs;
  }

  // Rows turn by map(place), or queries and keys by maps of their own: see mapped_rotation.
  auto at(auto... maps) const { return mapped_rotation{*this, std::move(maps)...}; }

  void check(const shapes& lengths) const {
    detail::require_even("p_rope", lengths.channels);
    detail::require(fraction >= 0 && fraction <= 1, "p_rope: fraction", "in [0, 1]", fraction);
    detail::require_positive("p_rope: base", base);
  }

  bool operator==(const p_rope&) const = default;
};

LONGSPAN_NAMESPACE_END

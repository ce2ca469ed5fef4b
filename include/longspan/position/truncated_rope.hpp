#pragma once

#include <cmath>
#include <utility>

#include <longspan/core/require.hpp>
#include <longspan/core/shape_error.hpp>
#include <longspan/core/shapes.hpp>
#include <longspan/position/ladder.hpp>
#include <longspan/position/mapped_rotation.hpp>

LONGSPAN_NAMESPACE_BEGIN

// The p-RoPE ladder used with scale-invariant attention (arXiv 2505.17083, the authors' code): d/4 pairs turn by
// w_i = base^(-i/(d/4 - 1)), from 1 down to 1/base, the other d/4 pairs not at all. Throws shape_error where channels are not a
// multiple of 4, std::invalid_argument for a base that is not positive and finite.
struct truncated_rope {
  double base = 1024;
  longspan::pairing pairing = longspan::pairing::halves;

  ladder frequencies(index_t channels) const {
    ladder rungs{std::vector<double>(std::size_t(channels / 2), 0.0), pairing};
    const index_t turning = channels / 4;
    for (index_t i = 0; i < turning; ++i)
      rungs.frequencies[std::size_t(i)] = turning == 1 ? 1.0 : std::pow(base, -double(i) / double(turning - 1));
    return rungs;
  }

  // Rows turn by map(place), or queries and keys by maps of their own: see mapped_rotation.
  auto at(auto... maps) const { return mapped_rotation{*this, std::move(maps)...}; }

  void check(const shapes& lengths) const {
    if (lengths.channels % 4 != 0)
      throw shape_error("truncated_rope turns a quarter of the channels in pairs, so their number must be a multiple of 4, not " +
                        std::to_string(lengths.channels));
    detail::require_positive("truncated_rope: base", base);
  }

  bool operator==(const truncated_rope&) const = default;
};

LONGSPAN_NAMESPACE_END

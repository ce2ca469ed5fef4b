#pragma once

#include <cstddef>
#include <utility>

#include <longspan/simd/batch.hpp>
#include <longspan/simd/lanes.hpp>
#include <longspan/simd/quiet.hpp>

LONGSPAN_QUIET_BEGIN

LONGSPAN_NAMESPACE_BEGIN
namespace simd {

// Numbers that alternate, x0 y0 x1 y1 ..., of which `lower` are the first and `upper` the last: those at even places, and those at odd
// ones.
template <class Batch>
std::pair<Batch, Batch> apart(const Batch& lower, const Batch& upper) {
  constexpr std::size_t width = std::size_t(lanes<Batch>);
  if constexpr (width == 1)
    return {lower, upper};
  else
    return [&]<std::size_t... Lane>(std::index_sequence<Lane...>) {
      return std::pair{Batch(__builtin_shufflevector(lower.data, upper.data, int(2 * Lane)...)),
                       Batch(__builtin_shufflevector(lower.data, upper.data, int(2 * Lane + 1)...))};
    }(std::make_index_sequence<width>{});
}

// The inverse: the first half of x0 y0 x1 y1 ..., and the second.
template <class Batch>
std::pair<Batch, Batch> alternating(const Batch& x, const Batch& y) {
  constexpr std::size_t width = std::size_t(lanes<Batch>);
  if constexpr (width == 1)
    return {x, y};
  else
    return [&]<std::size_t... Lane>(std::index_sequence<Lane...>) {
      return std::pair{Batch(__builtin_shufflevector(x.data, y.data, int(Lane / 2 + Lane % 2 * width)...)),
                       Batch(__builtin_shufflevector(x.data, y.data, int((width + Lane) / 2 + Lane % 2 * width)...))};
    }(std::make_index_sequence<width>{});
}

}  // namespace simd
LONGSPAN_NAMESPACE_END

LONGSPAN_QUIET_END

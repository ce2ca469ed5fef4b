#pragma once

#include <cmath>
#include <vector>

#include <longspan/core/index.hpp>
#include <longspan/core/require.hpp>

LONGSPAN_NAMESPACE_BEGIN

// Which channels turn together: `halves` (i, i + d/2) as in Llama and GPT-NeoX, `interleaved` (2i, 2i + 1) as in RoFormer,
// GPT-J and the weights of llama2.c.
enum class pairing { halves, interleaved };

// What a rotation does to a row: pair i turns by position * frequencies[i] radians, and the rotated channels are multiplied by
// `magnitude`. They are the first 2 * frequencies.size() of the row. A pair of frequency 0 does not turn.
struct ladder {
  std::vector<double> frequencies;
  longspan::pairing pairing = longspan::pairing::halves;
  double magnitude = 1;

  bool operator==(const ladder&) const = default;
};

namespace detail {

inline void require_pairs(index_t pairs, index_t channels) {
  require(2 * pairs <= channels, "rotation: frequencies", "at most one for each pair of channels", pairs);
}

// The geometric ladder w_i = base^(-2i/d) of RoPE over d channels (arXiv 2104.09864).
inline ladder geometric(double base, index_t channels, pairing paired) {
  ladder rungs{std::vector<double>(std::size_t(channels / 2)), paired};
  for (std::size_t i = 0; i < rungs.frequencies.size(); ++i)
    rungs.frequencies[i] = std::pow(base, -2 * double(i) / double(channels));
  return rungs;
}

}  // namespace detail

LONGSPAN_NAMESPACE_END

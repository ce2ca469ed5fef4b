#pragma once

#include <random>

#include <longspan/core/index.hpp>
#include <longspan/core/require.hpp>

LONGSPAN_NAMESPACE_BEGIN
namespace detail {

struct skipped_positions {
  index_t prefix, skip;  // tokens that stand where they are, and how many positions are then left out
  index_t operator()(index_t place) const { return place < prefix ? place : place + skip; }
  bool operator==(const skipped_positions&) const = default;
};

}  // namespace detail

// PoSE (arXiv 2309.10400): positions to train with, so that texts of `trained` tokens meet distances of `target`. The map of a rotation: a
// prefix of the text stands at its places, the rest is shifted; the prefix is drawn evenly from 1 .. trained - 1, the shift from 0 ..
// target - trained. Draw anew for every text or step; test with PI, NTK or YaRN. Throws std::invalid_argument for a trained length below 2
// or above the target.
//
//   std::mt19937_64 generator(step);
//   const auto whole = rope{}.interpolate(8).at(pose(2048, 16384, generator)) | dot_product{} | causal{};
template <std::uniform_random_bit_generator Generator>
detail::skipped_positions pose(index_t trained, index_t target, Generator& generator) {
  detail::require(trained >= 2, "pose: trained", "at least 2", trained);
  detail::require(target >= trained, "pose: target", "at least the trained length", target);
  std::uniform_int_distribution<index_t> prefix(1, trained - 1), skip(0, target - trained);
  const index_t first = prefix(generator);
  return {first, skip(generator)};
}

LONGSPAN_NAMESPACE_END

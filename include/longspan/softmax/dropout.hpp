#pragma once

#include <cstdint>
#include <limits>
#include <type_traits>

#include <longspan/core/index.hpp>
#include <longspan/core/query_row.hpp>
#include <longspan/core/require.hpp>
#include <longspan/core/shapes.hpp>
#include <longspan/simd/random_bits.hpp>
#include <longspan/simd/scalar.hpp>

LONGSPAN_NAMESPACE_BEGIN

// Dropout: after the softmax, each weight becomes 0 with probability `share`, and the rest is divided by 1 - share (Srivastava et al.
// 2014). Stands between masks and sink. Which weights are dropped follows from the seed, the number of the text in the call, the query head
// and the places of query and key, and from nothing else: backward drops what forward dropped, any device and instruction set drops the
// same, texts padded, packed or with their keys in parts do, and no mask is stored. (A text that is called alone is number 0.) Take another
// seed for every layer and step. The log-sum-exp is that of all weights, so parts of the keys still merge; share 0 changes no bit. A
// dropped key stays seen: a NaN in its value reaches the output. The share is rounded down to a multiple of 2^-32. Throws
// std::invalid_argument for a share outside of [0, 1).
struct dropout {
  double share = 0.1;
  std::uint64_t seed = 0;

  // What becomes of the weights of a row: a factor, 0 or 1 / (1 - share).
  auto of_weights(const query_row& row) const {
    constexpr double draws = 0x1p32;
    const auto dropped = std::int64_t(share * draws);
    const auto bound = std::int32_t(std::numeric_limits<std::int32_t>::min() + dropped);
    std::uint64_t key = simd::scramble(seed + 0x9e3779b97f4a7c15u);
    for (const index_t each : {row.text, row.head, row.position}) key = simd::scramble(key ^ std::uint64_t(each));
    return [=, scale = draws / (draws - double(dropped))](const auto& weight, const auto& keys) {
      using Weight = std::remove_cvref_t<decltype(weight)>;
      if (bound == std::numeric_limits<std::int32_t>::min()) return weight;
      const Weight scaled = weight * Weight(simd::scalar<Weight>(scale));
      return simd::drop_below(bound, key, std::uint32_t(keys.first), scaled);
    };
  }

  void check(const shapes&) const { detail::require(share >= 0 && share < 1, "dropout: share", "at least 0 and below 1", share); }
};

LONGSPAN_NAMESPACE_END

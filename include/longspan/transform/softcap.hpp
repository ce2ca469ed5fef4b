#pragma once

#include <cmath>
#include <type_traits>

#include <longspan/core/interval.hpp>
#include <longspan/core/query_row.hpp>
#include <longspan/core/require.hpp>
#include <longspan/core/shapes.hpp>
#include <longspan/simd/scalar.hpp>
#include <longspan/simd/tanh.hpp>
#include <longspan/transform/concept.hpp>

LONGSPAN_NAMESPACE_BEGIN

// Softcap: z = cap tanh(z / cap), before bias and mask (Gemma 2, arXiv 2408.00118: cap = 50). Throws std::invalid_argument where
// the cap is not positive and finite.
struct softcap {
  static constexpr stage order = stage::softcap;
  double cap;

  auto operator()(const query_row&) const {
    return [cap = cap, rate = 1 / cap](const auto& logit, const auto&) {
      using T = simd::scalar<std::remove_cvref_t<decltype(logit)>>;
      return T(cap) * simd::tanh(logit, T(rate));
    };
  }

  auto at_most(const query_row&) const {
    return [cap = cap](double score, interval) { return cap * std::tanh(score / cap); };
  }

  void check(const shapes&) const { detail::require_positive("softcap: cap", cap); }
};

LONGSPAN_NAMESPACE_END

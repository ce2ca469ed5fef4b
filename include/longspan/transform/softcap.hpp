#pragma once

#include <cmath>

#include <longspan/core/query_row.hpp>
#include <longspan/core/require.hpp>
#include <longspan/core/shapes.hpp>
#include <longspan/simd/scalar.hpp>
#include <longspan/transform/concept.hpp>

LONGSPAN_NAMESPACE_BEGIN

// Softcap: z = cap tanh(z / cap), before bias and mask (Gemma 2, arXiv 2408.00118: cap = 50). Throws std::invalid_argument where
// the cap is not positive and finite.
struct softcap {
  static constexpr stage order = stage::softcap;
  double cap;

  auto operator()(const query_row&) const {
    return [cap = cap](const auto& logit, const auto&) {
      using std::tanh;
      const auto limit = simd::scalar<std::remove_cvref_t<decltype(logit)>>(cap);
      return limit * tanh(logit / limit);
    };
  }

  void check(const shapes&) const { detail::require_positive("softcap: cap", cap); }
};

LONGSPAN_NAMESPACE_END

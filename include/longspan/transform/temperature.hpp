#pragma once

#include <longspan/core/query_row.hpp>
#include <longspan/core/require.hpp>
#include <longspan/core/shapes.hpp>
#include <longspan/simd/scalar.hpp>
#include <longspan/transform/concept.hpp>

namespace longspan::inline LONGSPAN_ISA {

// A factor that is constant along a query row: what every temperature's row function is. It rounds once, to the scalar of the logits.
struct row_factor {
  double factor;
  auto operator()(const auto& logit, const auto&) const { return logit * simd::scalar<std::remove_cvref_t<decltype(logit)>>(factor); }
};

// z = factor s, the same for every row. Throws std::invalid_argument where the factor is not finite.
struct temperature {
  static constexpr stage order = stage::temperature;
  double factor;

  row_factor operator()(const query_row&) const { return {factor}; }

  void check(const shapes&) const { require_finite("temperature: factor", factor); }
};

}  // namespace longspan::inline LONGSPAN_ISA

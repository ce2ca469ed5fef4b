#pragma once

#include <tuple>
#include <type_traits>

#include <longspan/core/query_row.hpp>
#include <longspan/core/require.hpp>
#include <longspan/core/shapes.hpp>
#include <longspan/parameter/learned.hpp>
#include <longspan/transform/concept.hpp>

LONGSPAN_NAMESPACE_BEGIN

// A factor that is constant along a query row: what every temperature's row function is. It rounds once, to the scalar of the logits.
struct row_factor {
  learned factor;
  auto operator()(const auto& logit, const auto&) const {
    using Logit = std::remove_cvref_t<decltype(logit)>;
    if constexpr (is_dual<Logit>)
      return logit * factor;
    else
      return logit * simd::scalar<Logit>(factor.value);
  }
};

// z = factor s, the same for every row. Throws std::invalid_argument where the factor is not finite.
struct temperature {
  static constexpr stage order = stage::temperature;
  learned factor;

  row_factor operator()(const query_row&) const { return {factor}; }
  auto parameters() { return std::tie(factor); }

  void check(const shapes&) const { require_finite("temperature: factor", factor.value); }
};

LONGSPAN_NAMESPACE_END

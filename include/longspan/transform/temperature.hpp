#pragma once

#include <tuple>

#include <longspan/core/query_row.hpp>
#include <longspan/core/require.hpp>
#include <longspan/core/shapes.hpp>
#include <longspan/parameter/learned.hpp>
#include <longspan/transform/concept.hpp>

LONGSPAN_NAMESPACE_BEGIN

namespace detail {

// A logit times a learned factor: with the factor's slope where logits have one, else by its value.
template <class Logit>
auto times(const Logit& logit, const learned& factor) {
  if constexpr (is_dual<Logit>)
    return logit * factor;
  else
    return logit * simd::scalar<Logit>(factor.value);
}

}  // namespace detail

// A factor that is constant along a query row: the row function of every temperature. It is rounded once, to the scalar of the
// logits.
struct row_factor {
  learned factor;
  auto operator()(const auto& logit, const auto&) const { return detail::times(logit, factor); }
};

// z = factor s, the same for every row. Throws std::invalid_argument where the factor is not finite.
struct temperature {
  static constexpr stage order = stage::temperature;
  learned factor;

  row_factor operator()(const query_row&) const { return {factor}; }
  auto parameters() { return std::tie(factor); }
  auto parameters() const { return std::tie(factor); }

  void check(const shapes&) const { detail::require_finite("temperature: factor", factor.value); }
};

LONGSPAN_NAMESPACE_END

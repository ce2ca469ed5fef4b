#pragma once

#include <concepts>
#include <type_traits>

#include <longspan/core/index.hpp>
#include <longspan/core/query_row.hpp>
#include <longspan/parameter/learned.hpp>
#include <longspan/transform/concept.hpp>
#include <longspan/transform/distance_table.hpp>
#include <longspan/transform/reach.hpp>

LONGSPAN_NAMESPACE_BEGIN

// A transform given by any function of the distance t = i - j (tokens, an index_t; negative for keys after the query): f(t)
// returns affine{a, m} for z = a s + m, or one number for z = s + m. When a call begins, a table is filled with f of each
// distance between the smallest and the largest that some row sees; the kernel loads from it, so that a slow f costs as little
// per logit as a fast one.
//
//   dot_product{} | by_distance{[](index_t t) { return -0.1 * std::sqrt(double(t)); }} | causal{}
template <std::invocable<index_t> F>
struct by_distance {
  F f;

  // The definition, for one key at a time: the reference runs it.
  auto operator()(const query_row&) const {
    return [f = f](const auto& logit, const auto& keys) {
      const affine z = f(keys.query - keys.first);
      return logit * z.scale + z.shift;
    };
  }

  static constexpr bool scaled = !detail::logit_like<std::invoke_result_t<F, index_t>, double>;

  template <class T>
  detail::distance_table<T, scaled> prepare(const reach& distances) const {
    return {distances, f};
  }
};
template <class F>
by_distance(F) -> by_distance<F>;

LONGSPAN_NAMESPACE_END

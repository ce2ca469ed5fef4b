#pragma once

#include <concepts>
#include <type_traits>
#include <utility>

#include <longspan/core/index.hpp>
#include <longspan/core/query_row.hpp>
#include <longspan/core/shapes.hpp>
#include <longspan/parameter/learned.hpp>
#include <longspan/transform/concept.hpp>
#include <longspan/transform/distance_table.hpp>
#include <longspan/transform/distance_tables.hpp>
#include <longspan/transform/reach.hpp>

LONGSPAN_NAMESPACE_BEGIN
namespace detail {

template <class F>
concept of_distance = std::invocable<const F&, index_t>;
template <class F>
concept of_distance_and_head = std::invocable<const F&, index_t, index_t>;

}  // namespace detail

// A transform given by any function of the distance t = i - j (tokens, an index_t; negative for keys after the query), and of the query
// head if it takes one: f(t) or f(t, head) returns affine{a, m} for z = a s + m, or one number for z = s + m. When a call begins, a table
// is filled with f of each distance between the smallest and the largest that some row sees, for each head where f takes one; the kernel
// loads from it, so that a slow f costs as little per logit as a fast one. Where f has learned numbers (concept transform), it names them
// by `parameters()` and returns `learned` ones. The backward pass sums the gradients by scale and shift along diagonals, one number for
// each distance and head, and then asks f once more at each distance for each list of learned numbers: any number of them costs little more
// than one (backward_with_parameters).
//
//   dot_product{} | by_distance{[](index_t t) { return -0.1 * std::sqrt(double(t)); }} | causal{}
template <class F>
  requires detail::of_distance<F> || detail::of_distance_and_head<F>
struct by_distance {
  F f;

  // The definition, for one key at a time: the reference runs it.
  auto operator()(const query_row& row) const {
    return [*this, head = row.head](const auto& logit, const auto& keys) {
      const affine z = at(keys.query - keys.first, head);
      return logit * z.scale + z.shift;
    };
  }

  static constexpr bool by_head = !detail::of_distance<F>;
  auto at(index_t t, index_t head) const {
    if constexpr (by_head)
      return f(t, head);
    else
      return f(t);
  }
  static constexpr bool scaled =
      !detail::logit_like<decltype(std::declval<const by_distance&>().at(index_t(), index_t())), double>;

  template <class T>
  auto prepare(const reach& distances) const {
    if constexpr (by_head)
      return detail::distance_tables<T, scaled>(distances, distances.heads,
                                                [this](index_t t, index_t head) { return at(t, head); });
    else
      return detail::distance_table<T, scaled>(distances, f);
  }

  auto parameters()
    requires requires { f.parameters(); }
  {
    return f.parameters();
  }
  auto parameters() const
    requires requires { f.parameters(); }
  {
    return f.parameters();
  }
  void check(const shapes& lengths) const
    requires requires { f.check(lengths); }
  {
    f.check(lengths);
  }
};
template <class F>
by_distance(F) -> by_distance<F>;

LONGSPAN_NAMESPACE_END

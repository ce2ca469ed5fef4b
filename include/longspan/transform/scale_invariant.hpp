#pragma once

#include <algorithm>
#include <cmath>
#include <tuple>
#include <type_traits>

#include <longspan/core/interval.hpp>
#include <longspan/core/query_row.hpp>
#include <longspan/core/require.hpp>
#include <longspan/core/shapes.hpp>
#include <longspan/parameter/learned.hpp>
#include <longspan/simd/multiply_add.hpp>
#include <longspan/simd/select.hpp>
#include <longspan/transform/by_distance.hpp>
#include <longspan/transform/distance_column.hpp>
#include <longspan/transform/distances_to.hpp>
#include <longspan/transform/reach.hpp>

LONGSPAN_NAMESPACE_BEGIN

// Scale-invariant attention: z = a_t s + m_t with a_t^2 = 2 (log(1 + t/tau) - log alpha + beta/alpha), m_t = beta/alpha - a_t^2
// (arXiv 2505.17083, theorem 1). t = |i - j| in tokens. alpha = beta = sqrt(e) gives a_0 = 1, m_0 = 0 and the paper's a_t =
// sqrt(1 + 2 log(1 + t/tau)), m_t = -2 log(1 + t/tau); tau = 10 is its best. Throws std::invalid_argument where tau, alpha or
// beta is not positive and finite, or a_t would be imaginary (beta < alpha log alpha).
struct scale_invariant {
  static constexpr double sqrt_e = 1.6487212707001281468;
  static constexpr stage order = stage::temperature;
  learned tau = 10.0;
  double alpha = sqrt_e;
  double beta = sqrt_e;

  affine at(index_t t) const {
    // For the default alpha the logarithm is exactly 0.5, so that a_0 is 1, not 1 + 2e-16.
    const double ratio = beta / alpha, offset = alpha == sqrt_e ? 0.5 : std::log(alpha);
    // At beta = alpha log alpha the square of a_0 is 0, and rounding may make it negative.
    const learned square = max(2 * (log1p(std::abs(double(t)) / tau) + (ratio - offset)), learned(0.0));
    return {square.value > 0 ? sqrt(square) : learned(0.0), ratio - square};
  }
  static constexpr bool scaled = true, by_head = false;
  affine at(index_t t, index_t) const { return at(t); }

  auto parameters() { return std::tie(tau); }
  auto parameters() const { return std::tie(tau); }

  auto operator()(const query_row& row) const {
    return by_distance{[part = *this](index_t t) { return part.at(t); }}(row);
  }

  // z = a_t (s - a_t) + beta/alpha is largest where a_t is half of s, and a_t ascends with the distance.
  auto at_most(const query_row& row) const {
    return [part = *this, row = row](double score, interval keys) {
      const auto [nearest, farthest] = detail::distances_to(row, keys);
      const double least = part.at(nearest).scale.value, most = part.at(farthest).scale.value;
      const double a = std::min(std::max(score / 2, least), most);
      return a * (score - a) + part.beta / part.alpha;
    };
  }

  bool operator==(const scale_invariant& other) const {
    return tau.value == other.tau.value && alpha == other.alpha && beta == other.beta;
  }

  template <class T>
  struct table;
  template <class T>
  table<T> prepare(const reach& distances) const;

  void check(const shapes&) const {
    detail::require_positive("scale_invariant: tau", tau.value);
    detail::require_positive("scale_invariant: alpha", alpha);
    detail::require_positive("scale_invariant: beta", beta);
    detail::require(beta >= alpha * std::log(alpha), "scale_invariant: beta", "at least alpha log alpha", beta);
  }
};

// z = a_t (s - a_t) + beta/alpha is the same with one table, of a_t: a second table costs a percentage point of the peak.
template <class T>
struct scale_invariant::table {
  detail::distance_column<T> scale;
  scale_invariant part;

  auto operator()(const query_row& row) const {
    return [scale = scale(row), ratio = T(part.beta / part.alpha)](const auto& logit, const auto& keys) {
      const auto a = scale(keys);
      return simd::multiply_add(a, logit - a, std::remove_cvref_t<decltype(a)>(ratio));
    };
  }
  auto at_most(const query_row& row) const { return part.at_most(row); }

  // Sets more of the distances that it has room for.
  void fill(const scale_invariant& of, interval distances) {
    for (index_t t = distances.first; t < distances.last; ++t) scale.set(t, of.at(t).scale.value);
  }
};

template <class T>
scale_invariant::table<T> scale_invariant::prepare(const reach& distances) const {
  table<T> made{detail::distance_column<T>(distances), *this};
  made.fill(*this, distances.seen);
  return made;
}

LONGSPAN_NAMESPACE_END

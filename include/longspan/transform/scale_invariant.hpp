#pragma once

#include <algorithm>
#include <cmath>

#include <longspan/core/query_row.hpp>
#include <longspan/core/require.hpp>
#include <longspan/core/shapes.hpp>
#include <longspan/transform/by_distance.hpp>

namespace longspan::inline LONGSPAN_ISA {

// Scale-invariant attention: z = a_t s + m_t with a_t^2 = 2 (log(1 + t/tau) - log alpha + beta/alpha), m_t = beta/alpha - a_t^2
// (arXiv 2505.17083, theorem 1). t = |i - j| in tokens. alpha = beta = sqrt(e) gives a_0 = 1, m_0 = 0 and the paper's
// a_t = sqrt(1 + 2 log(1 + t/tau)), m_t = -2 log(1 + t/tau); tau = 10 is its best. Throws std::invalid_argument where tau, alpha or
// beta is not positive and finite, or a_t would be imaginary (beta < alpha log alpha).
struct scale_invariant {
  static constexpr double sqrt_e = 1.6487212707001281468;
  static constexpr stage order = stage::temperature;
  double tau = 10;
  double alpha = sqrt_e;
  double beta = sqrt_e;

  affine at(index_t t) const {
    // Written so that the default's constants cancel exactly: a_0 is 1, not 1 + 2e-16.
    const double ratio = beta / alpha, offset = alpha == sqrt_e ? 0.5 : std::log(alpha);
    // At the edge beta = alpha log alpha the square of a_0 is 0, which rounding may put below.
    const double square = std::max(2 * (std::log1p(std::abs(double(t)) / tau) + (ratio - offset)), 0.0);
    return {std::sqrt(square), ratio - square};
  }

  auto table() const {
    return by_distance{[part = *this](index_t t) { return part.at(t); }};
  }
  auto operator()(const query_row& row) const { return table()(row); }

  template <class T>
  auto prepare(const reach& distances) const {
    return table().template prepare<T>(distances);
  }

  void check(const shapes&) const {
    require_positive("scale_invariant: tau", tau);
    require_positive("scale_invariant: alpha", alpha);
    require_positive("scale_invariant: beta", beta);
    require(beta >= alpha * std::log(alpha), "scale_invariant: beta", "at least alpha log alpha", beta);
  }
};

}  // namespace longspan::inline LONGSPAN_ISA

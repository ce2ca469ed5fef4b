#pragma once

#include <cmath>
#include <span>

#include <longspan/core/index.hpp>
#include <longspan/core/require.hpp>
#include <longspan/core/shapes.hpp>
#include <longspan/simd/row.hpp>

LONGSPAN_NAMESPACE_BEGIN

// RMS normalisation of query and key rows, without gain: x / sqrt(mean(x^2) + epsilon) (arXiv 1910.07467; QK-norm).
// Scale-invariant attention assumes it. Throws std::invalid_argument for an epsilon that is negative or not finite.
struct rms_normalize {
  double epsilon = 1e-6;

  template <class T>
  void turn(std::span<T> row, index_t) const {
    simd::scale(row, factor<T>(row));
  }

  // With r = 1/sqrt(mean(x^2) + epsilon) and y = r x: r (g - y (y.g)/d).
  template <class T>
  void turn_back(std::span<const T> row, std::span<T> gradient, index_t) const {
    const T r = factor<T>(row), along = r * r * simd::dot<T>(row, gradient) / T(row.size());
    simd::scale_and_add(gradient, r, row, -along * r);
  }

  void check(const shapes&) const {
    detail::require(epsilon >= 0 && std::isfinite(epsilon), "rms_normalize: epsilon", "at least 0 and finite", epsilon);
  }

 private:
  template <class T>
  T factor(std::span<const T> row) const {
    return 1 / std::sqrt(simd::dot<T>(row, row) / T(row.size()) + T(epsilon));
  }
};

LONGSPAN_NAMESPACE_END

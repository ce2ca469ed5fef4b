#pragma once

#include <cmath>
#include <span>

#include <longspan/core/index.hpp>
#include <longspan/core/require.hpp>
#include <longspan/core/shapes.hpp>
#include <longspan/simd/row.hpp>

namespace longspan::inline LONGSPAN_ISA {

// RMS normalisation of query and key rows, without gain: x / sqrt(mean(x^2) + epsilon) (arXiv 1910.07467; QK-norm). Scale-invariant
// attention stands on it. Throws std::invalid_argument for an epsilon that is negative or not finite.
struct rms_normalize {
  double epsilon = 1e-6;

  template <class T>
  void turn(std::span<T> row, index_t) const {
    simd::scale(row, 1 / std::sqrt(simd::sum_of_squares<T>(row) / T(row.size()) + T(epsilon)));
  }

  void check(const shapes&) const { require(epsilon >= 0 && std::isfinite(epsilon), "rms_normalize: epsilon", "at least 0 and finite", epsilon); }
};

}  // namespace longspan::inline LONGSPAN_ISA

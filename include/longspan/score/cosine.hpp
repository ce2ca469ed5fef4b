#pragma once

#include <cmath>
#include <span>

#include <longspan/core/index.hpp>
#include <longspan/simd/row.hpp>

namespace longspan::inline LONGSPAN_ISA {

// Cosine: s = cos(q, k), rows divided by their norm + 1e-9 (arXiv 2501.08570, section 3.3, and its code). Between -1 and 1, so a
// cos_scale follows it.
struct cosine {
  static constexpr double epsilon = 1e-9;

  template <class T>
  void query(std::span<T> row) const {
    simd::scale(row, 1 / (std::sqrt(simd::sum_of_squares<T>(row)) + T(epsilon)));
  }
  template <class T>
  void key(std::span<T> row) const {
    query(row);
  }
};

}  // namespace longspan::inline LONGSPAN_ISA

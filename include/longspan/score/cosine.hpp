#pragma once

#include <cmath>
#include <span>

#include <longspan/core/index.hpp>
#include <longspan/simd/row.hpp>

LONGSPAN_NAMESPACE_BEGIN

// Cosine: s = cos(q, k), rows divided by their norm + 1e-9 (arXiv 2501.08570, section 3.3, and its code). Between -1 and 1, so a
// cos_scale follows it.
struct cosine {
  static constexpr double epsilon = 1e-9;

  template <class T>
  void query(std::span<T> row) const {
    simd::scale(row, 1 / (norm<T>(row) + T(epsilon)));
  }
  template <class T>
  void key(std::span<T> row) const {
    query(row);
  }

  // With r = 1/(|x| + epsilon): r (g - x (x.g) r/|x|). For a row of zeros the second term is 0, and what is left, g / epsilon, is more than
  // half holds.
  template <class T>
  void query_back(std::span<const T> row, std::span<T> gradient) const {
    const T length = norm<T>(row), r = 1 / (length + T(epsilon));
    const T along = length == 0 ? T(0) : r * simd::dot<T>(row, gradient) / length;
    simd::scale_and_add(gradient, r, row, -along * r);
  }
  template <class T>
  void key_back(std::span<const T> row, std::span<T> gradient) const {
    query_back(row, gradient);
  }

 private:
  template <class T>
  static T norm(std::span<const T> row) {
    return std::sqrt(simd::dot<T>(row, row));
  }
};

LONGSPAN_NAMESPACE_END

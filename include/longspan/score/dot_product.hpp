#pragma once

#include <cmath>
#include <optional>
#include <span>

#include <longspan/core/require.hpp>
#include <longspan/core/shapes.hpp>

LONGSPAN_NAMESPACE_BEGIN

// Scaled dot product: s = scale q.k, scale = 1/sqrt(d) unless given (arXiv 1706.03762, eq. 1). Throws std::invalid_argument for a
// scale that is not finite.
struct dot_product {
  std::optional<double> scale = {};

  static constexpr bool keeps_keys = true;

  template <class T>
  void query(std::span<T>) const {}
  template <class T>
  void key(std::span<T>) const {}
  template <class T>
  void query_back(std::span<const T>, std::span<T>) const {}
  template <class T>
  void key_back(std::span<const T>, std::span<T>) const {}

  double factor(const shapes& lengths) const { return scale.value_or(1 / std::sqrt(double(lengths.channels))); }

  void check(const shapes&) const {
    if (scale) detail::require_finite("dot_product: scale", *scale);
  }
};

LONGSPAN_NAMESPACE_END

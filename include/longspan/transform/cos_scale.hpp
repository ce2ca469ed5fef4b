#pragma once

#include <tuple>

#include <longspan/core/query_row.hpp>
#include <longspan/core/require.hpp>
#include <longspan/core/shapes.hpp>
#include <longspan/transform/temperature.hpp>

LONGSPAN_NAMESPACE_BEGIN

// CosScale: z = S cos(q, k), a constant in the place of 1/sqrt(d) (arXiv 2501.08570, section 3.3: 128 for GAU-alpha). Written
// after cosine{}. Throws std::invalid_argument where the scale is not positive and finite.
struct cos_scale {
  static constexpr stage order = stage::temperature;
  learned scale;

  row_factor operator()(const query_row&) const { return {scale}; }
  auto parameters() { return std::tie(scale); }
  auto parameters() const { return std::tie(scale); }

  void check(const shapes&) const { detail::require_positive("cos_scale: scale", scale.value); }
};

LONGSPAN_NAMESPACE_END

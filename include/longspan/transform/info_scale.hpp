#pragma once

#include <algorithm>
#include <cmath>

#include <longspan/core/query_row.hpp>
#include <longspan/core/require.hpp>
#include <longspan/core/shapes.hpp>
#include <longspan/transform/temperature.hpp>

LONGSPAN_NAMESPACE_BEGIN

// InfoScale: z = g(n) s, g(n) = sqrt(1 - n^(-2/d)) / sqrt(1 - m^(-2/d)), which keeps the entropy of attention from growing with n
// (arXiv 2501.08570, section 3.2). n is the number of keys that the row sees, or all keys with `all_keys`; m is the length in
// tokens that the model was trained at; `clamp` never goes below 1. Throws std::invalid_argument for trained < 2.
struct info_scale {
  static constexpr stage order = stage::temperature;
  index_t trained;
  bool clamp = false;
  bool all_keys = false;

  // For n = 1 it is 0: a single key has weight 1 at any temperature. expm1 instead of 1 - n^(-2/d): for large d the difference of
  // two numbers near 1 would lose digits.
  double factor(index_t n, index_t channels) const {
    const auto cosine = [&](index_t keys) { return std::sqrt(-std::expm1(-2 * std::log(double(keys)) / double(channels))); };
    const double g = cosine(std::max<index_t>(n, 1)) / cosine(trained);
    return clamp ? std::max(1.0, g) : g;
  }

  row_factor operator()(const query_row& row) const { return {factor(all_keys ? row.keys : row.seen, row.channels)}; }

  void check(const shapes&) const { detail::require_trained("info_scale: trained", trained); }
};

LONGSPAN_NAMESPACE_END

#pragma once

#include <algorithm>
#include <cmath>

#include <longspan/core/query_row.hpp>
#include <longspan/core/require.hpp>
#include <longspan/core/shapes.hpp>
#include <longspan/transform/temperature.hpp>

LONGSPAN_NAMESPACE_BEGIN

// The temperature of Llama 4's layers without positions: z = (1 + scale log(1 + floor((i + 1) / floor))) s, by the query's position i
// alone. It is 1 for the first `floor` - 1 tokens and grows by steps; `scale` and `floor`, in tokens, are the model's attn_scale and
// floor_scale. A query that stands before the keys has 1. Throws std::invalid_argument where scale is not finite or floor below 1.
struct llama4_temperature {
  static constexpr stage order = stage::temperature;
  double scale = 0.1;
  index_t floor = 8192;

  double factor(index_t position) const {
    const index_t steps = std::max<index_t>(position + 1, 0) / floor;
    return 1 + scale * std::log1p(double(steps));
  }

  row_factor operator()(const query_row& row) const { return {factor(row.position)}; }

  void check(const shapes&) const {
    detail::require_finite("llama4_temperature: scale", scale);
    detail::require(floor >= 1, "llama4_temperature: floor", "at least 1", floor);
  }
};

LONGSPAN_NAMESPACE_END

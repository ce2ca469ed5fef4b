#pragma once

#include <algorithm>
#include <cmath>

#include <longspan/core/query_row.hpp>
#include <longspan/core/require.hpp>
#include <longspan/core/shapes.hpp>
#include <longspan/transform/temperature.hpp>

LONGSPAN_NAMESPACE_BEGIN

// The temperature of Llama 4's layers without positions: z = (1 + scale log(1 + floor((i + first) / floor))) s, by the query's position i
// alone. It is 1 for the first `floor` - `first` tokens and grows by steps; `scale` and `floor`, in tokens, are the model's attn_scale and
// floor_scale. Ministral 3 counts positions from 0, {.scale = 0.1, .floor = 16384, .first = 0}: its llama_4_scaling_beta and
// original_max_position_embeddings. A query that stands before the keys has 1. Throws std::invalid_argument where scale is not finite,
// floor below 1 or first neither 0 nor 1.
struct llama4_temperature {
  static constexpr stage order = stage::temperature;
  double scale = 0.1;
  index_t floor = 8192;
  index_t first = 1;  // the number of the first token

  double factor(index_t position) const {
    const index_t steps = std::max<index_t>(position + first, 0) / floor;
    return 1 + scale * std::log1p(double(steps));
  }

  row_factor operator()(const query_row& row) const { return {factor(row.position)}; }

  void check(const shapes&) const {
    detail::require_finite("llama4_temperature: scale", scale);
    detail::require(floor >= 1, "llama4_temperature: floor", "at least 1", floor);
    detail::require(first == 0 || first == 1, "llama4_temperature: first", "0 or 1", first);
  }
};

LONGSPAN_NAMESPACE_END

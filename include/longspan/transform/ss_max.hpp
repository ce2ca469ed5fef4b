#pragma once

#include <algorithm>
#include <cmath>
#include <tuple>

#include <longspan/core/query_row.hpp>
#include <longspan/core/shapes.hpp>
#include <longspan/parameter/per_head.hpp>
#include <longspan/transform/temperature.hpp>

LONGSPAN_NAMESPACE_BEGIN

// SSMax, scalable softmax: z = c log n * s with a learned c, one for all heads or one a head (arXiv 2501.19399; the "LogN"
// baseline of arXiv 2505.17083; c = 1 is Chiang and Cholak 2022). n is the number of keys that the row sees, or all keys with
// `all_keys`. Throws std::invalid_argument where the list does not fit the heads or is not finite.
struct ss_max {
  static constexpr stage order = stage::temperature;
  per_head scale = 1.0;
  bool all_keys = false;

  row_factor operator()(const query_row& row) const {
    return {scale[row.head] * std::log(double(std::max<index_t>(all_keys ? row.keys : row.seen, 1)))};
  }

  auto parameters() { return std::tie(scale); }
  auto parameters() const { return std::tie(scale); }
  void check(const shapes& lengths) const { scale.check("ss_max: scale", lengths.heads); }
};

LONGSPAN_NAMESPACE_END

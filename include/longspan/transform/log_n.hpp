#pragma once

#include <algorithm>
#include <cmath>

#include <longspan/core/query_row.hpp>
#include <longspan/core/require.hpp>
#include <longspan/core/shapes.hpp>
#include <longspan/transform/temperature.hpp>

LONGSPAN_NAMESPACE_BEGIN

// LogN: z = s log n / log m (Su 2021; m = 512 for GAU-alpha). n is the number of keys that the row sees, or all keys with
// `all_keys`; m is the length in tokens that the model was trained at; `clamp` is the deployed max(1, log n / log m). Throws
// std::invalid_argument for trained < 2.
struct log_n {
  static constexpr stage order = stage::temperature;
  index_t trained;
  bool clamp = false;
  bool all_keys = false;

  double factor(index_t n) const {
    const double ratio = std::log(double(std::max<index_t>(n, 1))) / std::log(double(trained));
    return clamp ? std::max(1.0, ratio) : ratio;
  }

  row_factor operator()(const query_row& row) const { return {factor(all_keys ? row.keys : row.seen)}; }

  void check(const shapes&) const { detail::require_trained("log_n: trained", trained); }
};

LONGSPAN_NAMESPACE_END

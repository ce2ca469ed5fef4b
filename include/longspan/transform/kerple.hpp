#pragma once

#include <cmath>
#include <cstdlib>
#include <tuple>

#include <longspan/core/index.hpp>
#include <longspan/core/require.hpp>
#include <longspan/core/shapes.hpp>
#include <longspan/parameter/learned.hpp>
#include <longspan/parameter/per_head.hpp>

LONGSPAN_NAMESPACE_BEGIN
namespace detail {

// Two positive numbers, one or one for each head.
inline void check_kerple(const char* first, const per_head& r1, const char* second, const per_head& r2, const shapes& lengths) {
  r1.check(first, lengths.heads), r2.check(second, lengths.heads);
  for (const double number : r1) require_positive(first, number);
  for (const double number : r2) require_positive(second, number);
}

}  // namespace detail

// KERPLE, logarithmic (arXiv 2205.09921): z = s - r1 log(1 + r2 |t|), r1 = scale and r2 = rate learned for each head: a function for
// by_distance, dot_product{} | by_distance{kerple_log{.scale = 1, .rate = 1}} | causal{}. Throws std::invalid_argument for numbers that are
// not positive and finite, and lists that do not fit the heads.
struct kerple_log {
  per_head scale = 1.0, rate = 1.0;

  learned operator()(index_t t, index_t head) const {
    const learned r1 = scale[head], r2 = rate[head];
    return -r1 * log(1.0 + r2 * double(std::abs(t)));
  }
  auto parameters() { return std::tie(scale, rate); }
  auto parameters() const { return std::tie(scale, rate); }
  void check(const shapes& lengths) const { detail::check_kerple("kerple_log: scale", scale, "kerple_log: rate", rate, lengths); }
};

// KERPLE, power (arXiv 2205.09921): z = s - r1 |t|^r2, r1 = scale and r2 = power learned for each head; else as kerple_log.
struct kerple_power {
  per_head scale = 0.1, power = 1.0;

  learned operator()(index_t t, index_t head) const {
    const learned r1 = scale[head], r2 = power[head];
    if (t == 0) return 0.0;
    return -r1 * exp(r2 * std::log(double(std::abs(t))));
  }
  auto parameters() { return std::tie(scale, power); }
  auto parameters() const { return std::tie(scale, power); }
  void check(const shapes& lengths) const {
    detail::check_kerple("kerple_power: scale", scale, "kerple_power: power", power, lengths);
  }
};

LONGSPAN_NAMESPACE_END

#pragma once

#include <algorithm>

#include <longspan/simd/batch.hpp>
#include <longspan/simd/quiet.hpp>

LONGSPAN_QUIET_BEGIN

namespace longspan::inline LONGSPAN_ISA {
namespace simd {

// The larger of both; where y is NaN, y. x86 returns the second operand of a comparison with NaN, and the scalar does as it does.
template <class Batch>
Batch max(const Batch& x, const Batch& y) {
  if constexpr (is_scalar<Batch>)
    return x > y ? x : y;
  else
    return xsimd::max(x, y);
}

template <class Condition, class Batch>
Batch select(const Condition& condition, const Batch& yes, const Batch& no) {
  if constexpr (is_scalar<Batch>)
    return condition ? yes : no;
  else
    return xsimd::select(condition, yes, no);
}

template <class Batch>
scalar<Batch> first_lane(const Batch& value) {
  if constexpr (is_scalar<Batch>)
    return value;
  else
    return value.get(0);
}

// The lanes folded into one scalar by halves, in an order that depends on the number of lanes alone.
template <class Batch, class Fold>
scalar<Batch> reduce(const Batch& value, Fold fold) {
  constexpr index_t width = lanes<Batch>;
  alignas(64) scalar<Batch> lane[width];
  simd::store(lane, value);  // qualified: xsimd has an aligned store of the same name
  for (index_t half = width / 2; half > 0; half /= 2)
    for (index_t l = 0; l < half; ++l) lane[l] = fold(lane[l], lane[l + half]);
  return lane[0];
}

template <class Batch>
scalar<Batch> reduce_max(const Batch& value) {
  return reduce(value, [](auto a, auto b) { return max(a, b); });
}

template <class Batch>
scalar<Batch> reduce_add(const Batch& value) {
  return reduce(value, [](auto a, auto b) { return a + b; });
}

}  // namespace simd
}  // namespace longspan::inline LONGSPAN_ISA

LONGSPAN_QUIET_END

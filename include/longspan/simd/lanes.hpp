#pragma once

#include <cstddef>
#include <utility>

#include <longspan/simd/batch.hpp>
#include <longspan/simd/quiet.hpp>

LONGSPAN_QUIET_BEGIN

LONGSPAN_NAMESPACE_BEGIN
namespace simd {

// The larger of both; where y is NaN, y. x86 max returns its second operand where either is NaN, which is the first of xsimd::max from
// version 14 on. The scalar does as x86 does. (A comparison and a choice of vectors would say so for every version; g++ does not always
// find the one instruction that it is.)
template <class Batch>
Batch max(const Batch& x, const Batch& y) {
  if constexpr (is_scalar<Batch>)
    return x > y ? x : y;
  else
    return XSIMD_VERSION_MAJOR < 14 ? xsimd::max(x, y) : xsimd::max(y, x);
}

// xsimd's, found by its arguments: it has none where it knows no instruction set.
template <class Condition, class Batch>
Batch select_lanes(const Condition& condition, const Batch& yes, const Batch& no) {
  return select(condition, yes, no);
}

template <class Condition, class Batch>
Batch select(const Condition& condition, const Batch& yes, const Batch& no) {
  if constexpr (is_scalar<Batch>)
    return condition ? yes : no;
  else
    return simd::select_lanes(condition, yes, no);
}

template <class Batch>
scalar<Batch> first_lane(const Batch& value) {
  if constexpr (is_scalar<Batch>)
    return value;
  else
    return value.get(0);
}

// Broadcasts every lane: writes as many batches as there are lanes, the l-th with lane l in all its lanes.
template <class Batch>
void spread(const Batch& value, scalar<Batch>* to) {
  if constexpr (is_scalar<Batch>)
    *to = value;
  else
    [&]<std::size_t... Lane>(std::index_sequence<Lane...>) {
      const auto one = [&]<std::size_t Spread>(std::integral_constant<std::size_t, Spread>) {
        simd::store(to + Spread * sizeof...(Lane),
                    Batch(__builtin_shufflevector(value.data, value.data, int(Lane * 0 + Spread)...)));
      };
      (one(std::integral_constant<std::size_t, Lane>{}), ...);
    }(std::make_index_sequence<std::size_t(lanes<Batch>)>{});
}

// Folds the lanes into one scalar by halves, in an order that depends only on the number of lanes: a shuffle brings lane l + Half to lane
// l, and only the first Half lanes of the result count. Stays in registers.
template <index_t Half, class Batch, class Fold>
scalar<Batch> reduce(const Batch& value, Fold fold) {
  if constexpr (Half == 0) {
    return first_lane(value);
  } else {
    const auto met = [&]<std::size_t... Lane>(std::index_sequence<Lane...>) {
      return Batch(__builtin_shufflevector(value.data, value.data, int((Lane + std::size_t(Half)) % sizeof...(Lane))...));
    }(std::make_index_sequence<std::size_t(lanes<Batch>)>{});
    return reduce<Half / 2>(fold(value, met), fold);
  }
}

template <class Batch>
scalar<Batch> reduce_max(const Batch& value) {
  return reduce<lanes<Batch> / 2>(value, [](const auto& a, const auto& b) { return simd::max(a, b); });
}

template <class Batch>
scalar<Batch> reduce_add(const Batch& value) {
  return reduce<lanes<Batch> / 2>(value, [](const auto& a, const auto& b) { return a + b; });
}

}  // namespace simd
LONGSPAN_NAMESPACE_END

LONGSPAN_QUIET_END

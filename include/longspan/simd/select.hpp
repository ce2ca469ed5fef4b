#pragma once

#include <cmath>
#include <type_traits>

#include <longspan/simd/dual.hpp>

LONGSPAN_NAMESPACE_BEGIN

// Choices for the bodies of transforms that must run on scalars too; on batches the names of xsimd are found by themselves.
template <class T>
  requires std::is_arithmetic_v<T>
T select(bool condition, T yes, T no) {
  return condition ? yes : no;
}

template <class Condition, class V>
dual<V> select(const Condition& condition, const dual<V>& yes, const dual<V>& no) {
  return {select(condition, yes.value, no.value), select(condition, yes.slope, no.slope)};
}

template <class V>
dual<V> max(const dual<V>& a, const dual<V>& b) {
  return select(a > b, a, b);
}

template <class V>
dual<V> min(const dual<V>& a, const dual<V>& b) {
  return select(a < b, a, b);
}

template <class V>
dual<V> abs(const dual<V>& x) {
  return select(x < dual<V>(0), -x, x);
}

LONGSPAN_NAMESPACE_END

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

// A plain number for one of both, in the precision of the other: select(keys.distance() < 8, logit, -2). For dual numbers in double, which
// learned numbers are, parameter/learned.hpp does the same.
template <class T, class Number>
  requires(std::is_arithmetic_v<T> && std::is_arithmetic_v<Number> && !std::is_same_v<T, Number>)
auto select(bool condition, T yes, Number no) {
  using both = std::common_type_t<T, Number>;
  return condition ? both(yes) : both(no);
}
template <class Condition, class X, class Number>
  requires(std::is_arithmetic_v<Number> && !std::is_arithmetic_v<X> && !std::is_same_v<X, dual<double>>)
X select(const Condition& condition, const X& yes, Number no) {
  return select(condition, yes, X(static_cast<simd::scalar<X>>(no)));
}
template <class Condition, class X, class Number>
  requires(std::is_arithmetic_v<Number> && !std::is_arithmetic_v<X> && !std::is_same_v<X, dual<double>>)
X select(const Condition& condition, Number yes, const X& no) {
  return select(condition, X(static_cast<simd::scalar<X>>(yes)), no);
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

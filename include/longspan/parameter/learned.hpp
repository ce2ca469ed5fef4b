#pragma once

#include <longspan/simd/batch.hpp>
#include <longspan/simd/dual.hpp>
#include <longspan/simd/select.hpp>

namespace longspan::inline LONGSPAN_ISA {

// A learned number of a part: a field of type `learned` is set like a double, which is its `value`, takes part in arithmetic like one,
// and the backward pass differentiates by it. Its
// slope is 0, but for the run of a body that asks for the derivative by this very number. With logits that carry no slope it is the
// number alone.
using learned = dual<double>;

template <class T, class A>
xsimd::batch<T, A> operator+(const learned& x, const xsimd::batch<T, A>& y) {
  return xsimd::batch<T, A>(T(x.value)) + y;
}
template <class T, class A>
xsimd::batch<T, A> operator-(const learned& x, const xsimd::batch<T, A>& y) {
  return xsimd::batch<T, A>(T(x.value)) - y;
}
template <class T, class A>
xsimd::batch<T, A> operator*(const learned& x, const xsimd::batch<T, A>& y) {
  return xsimd::batch<T, A>(T(x.value)) * y;
}
template <class T, class A>
xsimd::batch<T, A> operator/(const learned& x, const xsimd::batch<T, A>& y) {
  return xsimd::batch<T, A>(T(x.value)) / y;
}
template <class T, class A>
xsimd::batch<T, A> operator+(const xsimd::batch<T, A>& x, const learned& y) {
  return x + xsimd::batch<T, A>(T(y.value));
}
template <class T, class A>
xsimd::batch<T, A> operator-(const xsimd::batch<T, A>& x, const learned& y) {
  return x - xsimd::batch<T, A>(T(y.value));
}
template <class T, class A>
xsimd::batch<T, A> operator*(const xsimd::batch<T, A>& x, const learned& y) {
  return x * xsimd::batch<T, A>(T(y.value));
}
template <class T, class A>
xsimd::batch<T, A> operator/(const xsimd::batch<T, A>& x, const learned& y) {
  return x / xsimd::batch<T, A>(T(y.value));
}

// Comparisons and choices look at the number too.
template <class T, class A>
auto operator<(const xsimd::batch<T, A>& x, const learned& y) {
  return x < xsimd::batch<T, A>(T(y.value));
}
template <class T, class A>
auto operator>(const xsimd::batch<T, A>& x, const learned& y) {
  return x > xsimd::batch<T, A>(T(y.value));
}
template <class T, class A>
auto operator<(const learned& x, const xsimd::batch<T, A>& y) {
  return xsimd::batch<T, A>(T(x.value)) < y;
}
template <class T, class A>
auto operator>(const learned& x, const xsimd::batch<T, A>& y) {
  return xsimd::batch<T, A>(T(x.value)) > y;
}

// A learned number as the kind of number that it meets.
template <class X>
concept meets_learned =
    !std::same_as<X, learned> && (std::is_arithmetic_v<X> || is_dual<X> || requires { typename X::arch_type; });
template <meets_learned X>
auto alike(const learned& number) {
  if constexpr (std::is_arithmetic_v<X>)
    return number;
  else if constexpr (is_dual<X>)
    return X(number);
  else
    return X(simd::scalar<X>(number.value));
}
template <meets_learned X>
auto max(const X& x, const learned& y) {
  return max(decltype(alike<X>(y))(x), alike<X>(y));
}
template <meets_learned X>
auto max(const learned& x, const X& y) {
  return max(alike<X>(x), decltype(alike<X>(x))(y));
}
template <meets_learned X>
auto min(const X& x, const learned& y) {
  return min(decltype(alike<X>(y))(x), alike<X>(y));
}
template <meets_learned X>
auto min(const learned& x, const X& y) {
  return min(alike<X>(x), decltype(alike<X>(x))(y));
}
template <class Condition, meets_learned X>
auto select(const Condition& condition, const X& yes, const learned& no) {
  return select(condition, decltype(alike<X>(no))(yes), alike<X>(no));
}
template <class Condition, meets_learned X>
auto select(const Condition& condition, const learned& yes, const X& no) {
  return select(condition, alike<X>(yes), decltype(alike<X>(yes))(no));
}

// The kinds of number that a body may answer with for logits of `Value`: what converts to them, or a learned number.
template <class X, class Value>
concept logit_like = std::convertible_to<X, Value> || std::same_as<std::remove_cvref_t<X>, learned>;

template <class Value>
Value as_logit(const logit_like<Value> auto& x) {
  if constexpr (std::same_as<std::remove_cvref_t<decltype(x)>, learned> && !std::convertible_to<learned, Value>)
    return Value(simd::scalar<Value>(x.value));
  else
    return static_cast<Value>(x);
}

}  // namespace longspan::inline LONGSPAN_ISA

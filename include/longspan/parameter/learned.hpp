#pragma once

#include <longspan/simd/batch.hpp>
#include <longspan/simd/dual.hpp>

namespace longspan::inline LONGSPAN_ISA {

// A learned number of a part: a field of type `learned` is set and read like a double, and the backward pass differentiates by it. Its
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

#pragma once

#include <cmath>
#include <concepts>
#include <type_traits>

#include <longspan/core/index.hpp>
#include <longspan/simd/lanes.hpp>
#include <longspan/simd/scalar.hpp>

LONGSPAN_NAMESPACE_BEGIN

// A dual number: a value and its derivative (slope) with respect to one quantity. Running the body of a transform on duals is
// forward-mode differentiation. V is a batch, a float or a double. Constants mix in freely; a function that a transform calls on its logit
// needs an overload below or in simd/select.hpp.
template <class V>
struct dual {
  V value{};
  V slope{};

  dual() = default;
  dual(const V& v) : value(v), slope(V(0)) {}
  dual(const V& v, const V& s) : value(v), slope(s) {}
  template <class Number>
    requires(std::is_arithmetic_v<Number> && !std::same_as<Number, V>)
  dual(Number v) : dual(V(static_cast<simd::scalar<V>>(v))) {}
  // A learned number (parameter/learned.hpp), in the precision of whatever it meets.
  template <class W>
    requires(std::same_as<W, double> && !std::same_as<V, double>)
  dual(const dual<W>& x) : value(V(static_cast<simd::scalar<V>>(x.value))), slope(V(static_cast<simd::scalar<V>>(x.slope))) {}

  friend dual operator+(const dual& a, const dual& b) { return {a.value + b.value, a.slope + b.slope}; }
  friend dual operator-(const dual& a, const dual& b) { return {a.value - b.value, a.slope - b.slope}; }
  friend dual operator*(const dual& a, const dual& b) { return {a.value * b.value, a.slope * b.value + a.value * b.slope}; }
  // By a plain number: no product with its slope of 0, which a compiler must keep, as the other factor may be NaN.
  template <class Number>
    requires std::is_arithmetic_v<Number>
  friend dual operator*(Number a, const dual& b) {
    const V factor(static_cast<simd::scalar<V>>(a));
    return {factor * b.value, factor * b.slope};
  }
  friend dual operator/(const dual& a, const dual& b) {
    const V quotient = a.value / b.value;
    return {quotient, (a.slope - quotient * b.slope) / b.value};
  }
  friend dual operator-(const dual& a) { return {-a.value, -a.slope}; }
  friend dual operator+(const dual& a) { return a; }

  dual& operator+=(const dual& b) { return *this = *this + b; }
  dual& operator-=(const dual& b) { return *this = *this - b; }
  dual& operator*=(const dual& b) { return *this = *this * b; }
  dual& operator/=(const dual& b) { return *this = *this / b; }

  // Comparisons and choices look at the value: a branch is flat where it does not switch.
  friend auto operator<(const dual& a, const dual& b) { return a.value < b.value; }
  friend auto operator>(const dual& a, const dual& b) { return a.value > b.value; }
  friend auto operator<=(const dual& a, const dual& b) { return a.value <= b.value; }
  friend auto operator>=(const dual& a, const dual& b) { return a.value >= b.value; }
  friend auto operator==(const dual& a, const dual& b) { return a.value == b.value; }
};

template <class V>
struct simd::scalar_of<dual<V>> {
  using type = simd::scalar<V>;
};

namespace detail {

template <class X>
inline constexpr bool is_dual = false;
template <class V>
inline constexpr bool is_dual<dual<V>> = true;

// The chain rule for f(x), given f and f' there. A slope of 0 stays 0 where the derivative is infinite, as that of a root is at 0: the
// product would be NaN.
template <class V>
dual<V> chain(const dual<V>& x, const V& value, const V& derivative) {
  return {value, simd::select(x.slope == V(0), V(0), x.slope * derivative)};
}

}  // namespace detail

template <class V>
dual<V> exp(const dual<V>& x) {
  using std::exp;
  const V value = exp(x.value);
  return detail::chain(x, value, value);
}

template <class V>
dual<V> log(const dual<V>& x) {
  using std::log;
  return detail::chain<V>(x, log(x.value), V(1) / x.value);
}

template <class V>
dual<V> log1p(const dual<V>& x) {
  using std::log1p;
  return detail::chain<V>(x, log1p(x.value), V(1) / (V(1) + x.value));
}

template <class V>
dual<V> sqrt(const dual<V>& x) {
  using std::sqrt;
  const V value = sqrt(x.value);
  return detail::chain<V>(x, value, V(0.5) / value);
}

template <class V>
dual<V> tanh(const dual<V>& x) {
  using std::tanh;
  const V value = tanh(x.value);
  return detail::chain<V>(x, value, V(1) - value * value);
}

template <class V>
dual<V> sin(const dual<V>& x) {
  using std::cos, std::sin;
  return detail::chain<V>(x, sin(x.value), cos(x.value));
}

template <class V>
dual<V> cos(const dual<V>& x) {
  using std::cos, std::sin;
  return detail::chain<V>(x, cos(x.value), -sin(x.value));
}

template <class V>
dual<V> erf(const dual<V>& x) {
  using std::erf, std::exp;
  return detail::chain<V>(x, erf(x.value), V(simd::scalar<V>(1.1283791670955125739)) * exp(-x.value * x.value));
}

LONGSPAN_NAMESPACE_END

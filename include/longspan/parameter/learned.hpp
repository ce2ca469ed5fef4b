#pragma once

#include <longspan/simd/batch.hpp>
#include <longspan/simd/dual.hpp>
#include <longspan/simd/select.hpp>

LONGSPAN_NAMESPACE_BEGIN

// A learned number of a part: a field of type `learned` is set like a double, which is its `value`, takes part in arithmetic like one,
// and the backward pass differentiates by it. Its
// slope is 0, but for the run of a body that asks for the derivative by this very number. With logits that carry no slope it is the
// number alone.
using learned = dual<double>;

// What a learned number meets in a body: scalars, batches and dual numbers.
template <class X>
concept meets_learned =
    !std::same_as<X, learned> && (std::is_arithmetic_v<X> || is_dual<X> || requires { typename X::arch_type; });

// One of two operands is a learned number, the other something that it meets, or a batch of them.
template <class X, class Y>
concept learned_pair = (std::same_as<X, learned> && meets_learned<Y>) || (meets_learned<X> && std::same_as<Y, learned>);
template <class X, class Y>
concept learned_and_batch = learned_pair<X, Y> && (requires { typename X::arch_type; } || requires { typename Y::arch_type; });

// An operand as the kind of number that both are together: beside a scalar a learned number, beside a batch its lanes.
template <class Other, class X>
auto beside(const X& x) {
  if constexpr (std::is_arithmetic_v<X>)
    return learned(x);
  else if constexpr (!std::same_as<X, learned> || std::is_arithmetic_v<Other>)
    return x;
  else if constexpr (is_dual<Other>)
    return Other(x);
  else
    return Other(simd::scalar<Other>(x.value));
}

template <class X, class Y>
  requires learned_and_batch<X, Y>
auto operator+(const X& x, const Y& y) {
  return beside<Y>(x) + beside<X>(y);
}
template <class X, class Y>
  requires learned_and_batch<X, Y>
auto operator-(const X& x, const Y& y) {
  return beside<Y>(x) - beside<X>(y);
}
template <class X, class Y>
  requires learned_and_batch<X, Y>
auto operator*(const X& x, const Y& y) {
  return beside<Y>(x) * beside<X>(y);
}
template <class X, class Y>
  requires learned_and_batch<X, Y>
auto operator/(const X& x, const Y& y) {
  return beside<Y>(x) / beside<X>(y);
}

// Comparisons and choices look at the number too.
template <class X, class Y>
  requires learned_and_batch<X, Y>
auto operator<(const X& x, const Y& y) {
  return beside<Y>(x) < beside<X>(y);
}
template <class X, class Y>
  requires learned_and_batch<X, Y>
auto operator>(const X& x, const Y& y) {
  return beside<Y>(x) > beside<X>(y);
}
template <class X, class Y>
  requires learned_pair<X, Y>
auto max(const X& x, const Y& y) {
  return max(beside<Y>(x), beside<X>(y));
}
template <class X, class Y>
  requires learned_pair<X, Y>
auto min(const X& x, const Y& y) {
  return min(beside<Y>(x), beside<X>(y));
}
template <class Condition, class X, class Y>
  requires learned_pair<X, Y>
auto select(const Condition& condition, const X& yes, const Y& no) {
  return select(condition, beside<Y>(yes), beside<X>(no));
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

LONGSPAN_NAMESPACE_END

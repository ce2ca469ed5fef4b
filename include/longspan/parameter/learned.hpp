#pragma once

#include <longspan/simd/batch.hpp>
#include <longspan/simd/dual.hpp>
#include <longspan/simd/select.hpp>

LONGSPAN_NAMESPACE_BEGIN

// A number of a part that the backward pass differentiates by. A field of type `learned` is set like a double (its `value`) and
// calculates like one. It is a dual number whose slope is 0, except where the backward pass sets the slope of the number in
// question to 1 and runs the body again: the slope of the logits is then their derivative by that number. Where logits have no
// slope the body uses the value alone.
using learned = dual<double>;

namespace detail {

// What a body may combine with a learned number: scalars, batches and dual numbers of either.
template <class X>
concept meets_learned =
    !std::same_as<X, learned> && (std::is_arithmetic_v<X> || is_dual<X> || requires { typename X::arch_type; });

// Two operands of which one is a learned number; and the same where the other is a SIMD batch.
template <class X, class Y>
concept learned_pair = (std::same_as<X, learned> && meets_learned<Y>) || (meets_learned<X> && std::same_as<Y, learned>);
template <class X, class Y>
concept learned_and_batch = learned_pair<X, Y> && (requires { typename X::arch_type; } || requires { typename Y::arch_type; });

// Converts an operand x to the type in which it is combined with one of type Other. Beside a scalar both become `learned`; beside
// a dual number the learned one takes its precision; beside a batch, which has no slope, it becomes a batch of its value.
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

}  // namespace detail

// Arithmetic of a learned number with a batch. With scalars and dual numbers the operators of `dual` serve.
template <class X, class Y>
  requires detail::learned_and_batch<X, Y>
auto operator+(const X& x, const Y& y) {
  return detail::beside<Y>(x) + detail::beside<X>(y);
}
template <class X, class Y>
  requires detail::learned_and_batch<X, Y>
auto operator-(const X& x, const Y& y) {
  return detail::beside<Y>(x) - detail::beside<X>(y);
}
template <class X, class Y>
  requires detail::learned_and_batch<X, Y>
auto operator*(const X& x, const Y& y) {
  return detail::beside<Y>(x) * detail::beside<X>(y);
}
template <class X, class Y>
  requires detail::learned_and_batch<X, Y>
auto operator/(const X& x, const Y& y) {
  return detail::beside<Y>(x) / detail::beside<X>(y);
}

// Comparisons look at the value.
template <class X, class Y>
  requires detail::learned_and_batch<X, Y>
auto operator<(const X& x, const Y& y) {
  return detail::beside<Y>(x) < detail::beside<X>(y);
}
template <class X, class Y>
  requires detail::learned_and_batch<X, Y>
auto operator>(const X& x, const Y& y) {
  return detail::beside<Y>(x) > detail::beside<X>(y);
}
template <class X, class Y>
  requires detail::learned_and_batch<X, Y>
auto operator<=(const X& x, const Y& y) {
  return detail::beside<Y>(x) <= detail::beside<X>(y);
}
template <class X, class Y>
  requires detail::learned_and_batch<X, Y>
auto operator>=(const X& x, const Y& y) {
  return detail::beside<Y>(x) >= detail::beside<X>(y);
}

// The choices of simd/select.hpp with a learned number for one operand.
template <class X, class Y>
  requires detail::learned_pair<X, Y>
auto max(const X& x, const Y& y) {
  return max(detail::beside<Y>(x), detail::beside<X>(y));
}
template <class X, class Y>
  requires detail::learned_pair<X, Y>
auto min(const X& x, const Y& y) {
  return min(detail::beside<Y>(x), detail::beside<X>(y));
}
template <class Condition, class X, class Y>
  requires detail::learned_pair<X, Y>
auto select(const Condition& condition, const X& yes, const Y& no) {
  return select(condition, detail::beside<Y>(yes), detail::beside<X>(no));
}

namespace detail {

// What a body may return for logits of type Value: whatever converts to them, or a learned number.
template <class X, class Value>
concept logit_like = std::convertible_to<X, Value> || std::same_as<std::remove_cvref_t<X>, learned>;

// Converts what a body returned to the type of its logits.
template <class Value>
Value as_logit(const logit_like<Value> auto& x) {
  if constexpr (std::same_as<std::remove_cvref_t<decltype(x)>, learned> && !std::convertible_to<learned, Value>)
    return Value(simd::scalar<Value>(x.value));
  else
    return static_cast<Value>(x);
}

}  // namespace detail
LONGSPAN_NAMESPACE_END

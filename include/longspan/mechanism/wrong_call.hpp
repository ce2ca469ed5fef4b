#pragma once

#include <cstddef>

#include <longspan/core/device.hpp>
#include <longspan/mechanism.hpp>

LONGSPAN_NAMESPACE_BEGIN

// Calls that fit no door do not compile, and the first line of the complaint says what a door takes: forward.hpp, backward.hpp.

namespace detail {

template <class First>
inline constexpr bool wrong_call = sizeof(First) != 0;

// What else than a device may stand before a mechanism says so by a type of that name: a ring (distributed/ring.hpp).
template <class First>
concept begins_calls = requires { typename First::begins_calls; };

// None of them begins a call.
template <class First>
concept no_beginning = !device<First> && !is_mechanism<First> && !begins_calls<First>;

// Whether so many arguments follow the mechanism.
template <std::size_t Count>
constexpr bool takes_forward_into() {
  static_assert(4 <= Count && Count <= 6, "forward_into([device,] mechanism, q, k, v, output[, log_sum_exp][, placement])");
  return true;
}
template <std::size_t Count>
constexpr bool takes_backward_into() {
  static_assert(
      8 <= Count && Count <= 9,
      "backward_into([device,] mechanism, q, k, v, kept, d_output, d_q, d_k, d_v[, placement]), where kept is what forward made");
  return true;
}
template <std::size_t Count>
constexpr bool takes_backward_with_parameters_into() {
  static_assert(
      9 <= Count && Count <= 10,
      "backward_with_parameters_into([device,] mechanism, q, k, v, kept, d_output, d_q, d_k, d_v, d_mechanism[, placement]), "
      "where kept is what forward made");
  return true;
}

}  // namespace detail

template <class First, class Second, class... More>
void forward(const First&, const Second&, const More&...) {
  static_assert(
      !detail::wrong_call<First>,
      "forward([device,] mechanism, q, k, v[, placement]): a mechanism is parts joined by |, from a score to a mask, as in "
      "dot_product{} | causal{}");
}
template <detail::no_beginning First, class... More>
void forward_into(const First&, More&&...) {
  static_assert(
      !detail::wrong_call<First>,
      "forward_into([device,] mechanism, q, k, v, output[, log_sum_exp][, placement]): begins with a mechanism, parts joined "
      "by |, from a score to a mask, as in dot_product{} | causal{}");
}

template <class First, class Second, class... More>
void backward(const First&, const Second&, const More&...) {
  static_assert(!detail::wrong_call<First>,
                "backward([device,] mechanism, q, k, v, kept, d_output[, placement]), where kept is what forward made: "
                "forward(mechanism, q, k, v), or attended{output, log_sum_exp} of tensors or views");
}
template <detail::no_beginning First, class... More>
void backward_into(const First&, More&&...) {
  static_assert(
      !detail::wrong_call<First>,
      "backward_into([device,] mechanism, q, k, v, kept, d_output, d_q, d_k, d_v[, placement]): begins with a mechanism, parts "
      "joined by |, from a score to a mask, as in dot_product{} | causal{}");
}

LONGSPAN_NAMESPACE_END

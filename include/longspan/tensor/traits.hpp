#pragma once

#include <concepts>
#include <type_traits>
#include <utility>

#include <longspan/core/index.hpp>
#include <longspan/simd/widen.hpp>
#include <longspan/tensor/view.hpp>

LONGSPAN_NAMESPACE_BEGIN

// How a kind of tensor is read and made; specialised for X without const or reference. For Eigen's tensors and matrices, and for
// view itself, in tensor/eigen.hpp. A specialisation tells:
//   static view<S> of(X&)                           its memory as (batch, head, token, channel); const if read-only
//   static auto make_output<S>(const shapes&)       a new (batch, head, query, value_channel) of X's rank and storage order
//   static auto make_log_sum_exp<S>(const shapes&)  a new (batch, head, query) of the same
//   static view<S> log_sum_exp_of(X&)               a (batch, head, query) as (batch, head, query, 1)
template <class X>
struct tensor_traits {
  static_assert(sizeof(X) == 0,
                "not a tensor, matrix, map or longspan::view: evaluate an expression first: assign it to a tensor, as in "
                "const Tensor twice = q * 2.f; of a matrix (q * 2.f).eval() does, of a tensor eval() is an expression too");
};

namespace detail {

template <class X>
using traits_of = tensor_traits<std::remove_cvref_t<X>>;

template <class X>
auto view_of(X&& tensor) {
  return traits_of<X>::of(tensor);
}

// Whether a type is a cache of keys and values (cache/kv_cache.hpp), which stands for two tensors.
template <class X>
inline constexpr bool is_cache = false;

// The storage type of a tensor's numbers.
template <class X>
using element_of = std::remove_const_t<std::remove_pointer_t<decltype(traits_of<X>::of(std::declval<X&>()).data)>>;

// What tensors of queries, keys, values and results hold. Integers are not among them: they have no scale, and the 16-bit words that C
// programs keep bfloat16 in would be read as numbers of up to 65535.
template <class S>
inline constexpr bool is_number = std::same_as<S, float> || std::same_as<S, double> || narrow_format<S> != narrow::no;

// Of templates that are called: whether their tensors are what they must be. What is not does not compile.
template <class... S>
constexpr bool are_numbers() {
  static_assert(
      (is_number<S> && ...),
      "tensors hold float, double, Eigen::half or Eigen::bfloat16: bits in 16-bit words are read as "
      "view<const Eigen::bfloat16>{bfloat16_bits(pointer), extent, stride}, or half_bits; integers are not numbers of attention");
  return true;
}

template <class... Tensors>
constexpr bool hold_numbers() {
  return detail::are_numbers<element_of<Tensors>...>();
}

template <class... Tensors>
constexpr bool are_writable() {
  static_assert((!std::is_const_v<std::remove_pointer_t<decltype(traits_of<Tensors>::of(std::declval<Tensors&>()).data)>> && ...),
                "results and gradients are written: their tensors, and what their views point to, must not be const");
  return true;
}

// The precision of the computation and of log-sum-exp: double for double, float for every narrower storage.
template <class S>
using compute_t = std::conditional_t<std::same_as<S, double>, double, float>;

// The log-sum-exp of a call whose queries are Q is what the computation makes.
template <class Q, class Sums>
constexpr bool are_sums_of() {
  static_assert(std::same_as<Sums, view<compute_t<element_of<Q>>>>,
                "log_sum_exp holds double where q does and float otherwise, and is written: it must not be const");
  return true;
}

}  // namespace detail

LONGSPAN_NAMESPACE_END

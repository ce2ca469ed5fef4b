#pragma once

#include <concepts>
#include <type_traits>

#include <longspan/core/index.hpp>
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
                "not a tensor, matrix, map or longspan::view: evaluate an expression first, as in (q * 2.f).eval()");
};

namespace detail {

template <class X>
using traits_of = tensor_traits<std::remove_cvref_t<X>>;

template <class X>
auto view_of(X&& tensor) {
  return traits_of<X>::of(tensor);
}

// The storage type of a tensor's numbers.
template <class X>
using element_of = std::remove_const_t<std::remove_pointer_t<decltype(traits_of<X>::of(std::declval<X&>()).data)>>;

// The precision of the computation and of log-sum-exp: double for double, float for every narrower storage.
template <class S>
using compute_t = std::conditional_t<std::same_as<S, double>, double, float>;

}  // namespace detail

LONGSPAN_NAMESPACE_END

#pragma once

#include <utility>

#include <longspan/any/mechanism.hpp>
#include <longspan/any/sentence.hpp>
#include <longspan/core/any_device.hpp>
#include <longspan/core/device.hpp>
#include <longspan/tensor/checked.hpp>
#include <longspan/tensor/eigen.hpp>
#include <longspan/tensor/gradients.hpp>
#include <longspan/tensor/placement.hpp>
#include <longspan/tensor/traits.hpp>

LONGSPAN_NAMESPACE_BEGIN
namespace detail {

template <class S, class Kept, class DKept, class DQ, class DK, class DV>
any_gradients<S> gradients_into(const Kept& kept, const DKept& d_kept, DQ& d_q, DK& d_k, DV& d_v) {
  static_assert(hold_its_numbers<S, decltype(kept.output), DQ, DK, DV>() && are_writable<DQ, DK, DV>());
  const auto sums = [](const auto& of) { return traits_of<decltype(of)>::log_sum_exp_of(of); };
  any_gradients<S> all{detail::view_of(kept.output), sums(kept.log_sum_exp), {}, {}, detail::view_of(d_q),
                       detail::view_of(d_k),         detail::view_of(d_v)};
  if constexpr (requires { d_kept.output, d_kept.log_sum_exp; })
    all.d_output = detail::view_of(d_kept.output), all.d_log_sum_exp = sums(d_kept.log_sum_exp);
  else
    all.d_output = detail::view_of(d_kept);
  return all;
}

template <class S, class Q, class K, class V>
any_inputs<S> inputs_of(const Q& q, const K& k, const V& v) {
  static_assert(hold_its_numbers<S, Q, K, V>());
  return {detail::view_of(q), detail::view_of(k), detail::view_of(v)};
}

// New gradients of inputs that nobody has checked yet.
template <class Q, class K, class V>
auto make_unchecked_gradients(const Q& q, const K& k, const V& v) {
  detail::require_memory("query", detail::view_of(q)), detail::require_memory("key", detail::view_of(k));
  detail::require_memory("value", detail::view_of(v));
  return detail::make_gradients(q, k, v);
}

}  // namespace detail

// The backward pass of a mechanism that is chosen at run time: see backward.hpp, whose results these have.
template <device D, class S, class Q, class K, class V, class Kept, class DKept, class DQ, class DK, class DV>
void backward_into(const D& d, const any_mechanism<S>& whole, const Q& q, const K& k, const V& v, const Kept& kept,
                   const DKept& d_kept, DQ&& d_q, DK&& d_k, DV&& d_v, const placement& where = {}) {
  whole.inside().backward(detail::any_device::of(d), detail::inputs_of<S>(q, k, v),
                          detail::gradients_into<S>(kept, d_kept, d_q, d_k, d_v), where);
}
template <device D, class S, class Q, class K, class V, class Kept, class DKept>
auto backward(const D& d, const any_mechanism<S>& whole, const Q& q, const K& k, const V& v, const Kept& kept,
              const DKept& d_kept, const placement& where = {}) {
  auto made = detail::make_unchecked_gradients(q, k, v);
  longspan::backward_into(d, whole, q, k, v, kept, d_kept, made.d_query, made.d_key, made.d_value, where);
  return made;
}

// The same, and the gradients of the learned numbers, in their place in a mechanism of the same sentence.
template <device D, class S, class Q, class K, class V, class Kept, class DKept, class DQ, class DK, class DV>
void backward_with_parameters_into(const D& d, const any_mechanism<S>& whole, const Q& q, const K& k, const V& v,
                                   const Kept& kept, const DKept& d_kept, DQ&& d_q, DK&& d_k, DV&& d_v,
                                   any_mechanism<S>& d_mechanism, const placement& where = {}) {
  d_mechanism = any_mechanism<S>(whole.inside().backward_with_parameters(
      detail::any_device::of(d), detail::inputs_of<S>(q, k, v), detail::gradients_into<S>(kept, d_kept, d_q, d_k, d_v), where));
}
template <device D, class S, class Q, class K, class V, class Kept, class DKept>
auto backward_with_parameters(const D& d, const any_mechanism<S>& whole, const Q& q, const K& k, const V& v, const Kept& kept,
                              const DKept& d_kept, const placement& where = {}) {
  auto made = detail::make_unchecked_gradients(q, k, v);
  gradients_with_parameters all{std::move(made.d_query), std::move(made.d_key), std::move(made.d_value), whole};
  longspan::backward_with_parameters_into(d, whole, q, k, v, kept, d_kept, all.d_query, all.d_key, all.d_value, all.d_mechanism,
                                          where);
  return all;
}

// Without a device, on the calling thread.
template <class S, class Q, class... More>
auto backward(const any_mechanism<S>& whole, const Q& q, const More&... more) {
  return longspan::backward(Eigen::DefaultDevice{}, whole, q, more...);
}
template <class S, class... Tensors>
void backward_into(const any_mechanism<S>& whole, Tensors&&... tensors) {
  longspan::backward_into(Eigen::DefaultDevice{}, whole, std::forward<Tensors>(tensors)...);
}
template <class S, class Q, class... More>
auto backward_with_parameters(const any_mechanism<S>& whole, const Q& q, const More&... more) {
  return longspan::backward_with_parameters(Eigen::DefaultDevice{}, whole, q, more...);
}
template <class S, class... Tensors>
void backward_with_parameters_into(const any_mechanism<S>& whole, Tensors&&... tensors) {
  longspan::backward_with_parameters_into(Eigen::DefaultDevice{}, whole, std::forward<Tensors>(tensors)...);
}

LONGSPAN_NAMESPACE_END

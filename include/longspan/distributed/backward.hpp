#pragma once

#include <utility>
#include <vector>

#include <longspan/backward.hpp>
#include <longspan/distributed/ring_backward.hpp>
#include <longspan/distributed/ring_call.hpp>
#include <longspan/distributed/together.hpp>
#include <longspan/mechanism.hpp>
#include <longspan/mechanism/wrong_call.hpp>
#include <longspan/tensor/backward_tensors.hpp>
#include <longspan/tensor/gradients.hpp>
#include <longspan/tensor/placement.hpp>

LONGSPAN_NAMESPACE_BEGIN

// The doors of the backward pass over a ring.

namespace detail {

template <begins_calls Ring, class... Parts, class Tensors>
void backward_over(const Ring& over, const mechanism<Parts...>& whole, const Tensors& tensors, const placement& where) {
  std::vector<std::vector<double>> none;
  const ring_call call(over.inside(), whole, tensors.query, tensors.key, tensors.value, where);
  detail::run_ring_backward<false>(over.inside(), over.device(), whole, call, tensors, none);
}
template <begins_calls Ring, class... Parts, class Tensors>
void backward_with_parameters_over(const Ring& over, const mechanism<Parts...>& whole, const Tensors& tensors,
                                   mechanism<Parts...>& d_mechanism, const placement& where) {
  std::vector<std::vector<double>> d_parameters;
  const ring_call call(over.inside(), whole, tensors.query, tensors.key, tensors.value, where);
  detail::run_ring_backward<true>(over.inside(), over.device(), whole, call, tensors, d_parameters);
  together(over.inside(), [&] { detail::put_parameters(whole, d_parameters, d_mechanism); });
}

}  // namespace detail

// Gradients over a ring, of the rank's own queries, keys and values into memory of the caller's, from its rows of what forward made and of
// the gradient of the output: see backward_into and ring.
template <detail::begins_calls Ring, class... Parts, class Q, class K, class V, class Kept, class DKept, class DQ, class DK,
          class DV>
void backward_into(const Ring& over, const mechanism<Parts...>& whole, const Q& q, const K& k, const V& v, const Kept& kept,
                   const DKept& d_kept, DQ&& d_q, DK&& d_k, DV&& d_v, const placement& where = {}) {
  detail::backward_over(over, whole, detail::make_backward_tensors(q, k, v, kept, d_kept, d_q, d_k, d_v), where);
}

// The same, and the gradients of the learned numbers of all ranks' rows: `d_mechanism` takes them, on every rank the same.
template <detail::begins_calls Ring, class... Parts, class Q, class K, class V, class Kept, class DKept, class DQ, class DK,
          class DV>
void backward_with_parameters_into(const Ring& over, const mechanism<Parts...>& whole, const Q& q, const K& k, const V& v,
                                   const Kept& kept, const DKept& d_kept, DQ&& d_q, DK&& d_k, DV&& d_v,
                                   mechanism<Parts...>& d_mechanism, const placement& where = {}) {
  detail::backward_with_parameters_over(over, whole, detail::make_backward_tensors(q, k, v, kept, d_kept, d_q, d_k, d_v),
                                        d_mechanism, where);
}

// The same into new tensors: gradients{d_query, d_key, d_value}.
template <detail::begins_calls Ring, class... Parts, class Q, class K, class V, class Kept, class DKept>
auto backward(const Ring& over, const mechanism<Parts...>& whole, const Q& q, const K& k, const V& v, const Kept& kept,
              const DKept& d_kept, const placement& where = {}) {
  auto made = detail::make_together(over.inside(), [&] { return detail::make_gradients(q, k, v); });
  longspan::backward_into(over, whole, q, k, v, kept, d_kept, made.d_query, made.d_key, made.d_value, where);
  return made;
}

// The same with the learned numbers: gradients_with_parameters{d_query, d_key, d_value, d_mechanism}.
template <detail::begins_calls Ring, class... Parts, class Q, class K, class V, class Kept, class DKept>
auto backward_with_parameters(const Ring& over, const mechanism<Parts...>& whole, const Q& q, const K& k, const V& v,
                              const Kept& kept, const DKept& d_kept, const placement& where = {}) {
  auto all = detail::make_together(over.inside(), [&] {
    auto made = detail::make_gradients(q, k, v);
    return gradients_with_parameters{std::move(made.d_query), std::move(made.d_key), std::move(made.d_value), whole};
  });
  longspan::backward_with_parameters_into(over, whole, q, k, v, kept, d_kept, all.d_query, all.d_key, all.d_value,
                                          all.d_mechanism, where);
  return all;
}

LONGSPAN_NAMESPACE_END

#pragma once

#include <concepts>
#include <type_traits>
#include <utility>

#include <longspan/core/device.hpp>
#include <longspan/kernel/decode.hpp>
#include <longspan/kernel/forward_call.hpp>
#include <longspan/kernel/prefill.hpp>
#include <longspan/mechanism/bind.hpp>
#include <longspan/tensor/aliasing.hpp>
#include <longspan/tensor/attended.hpp>
#include <longspan/tensor/checked.hpp>
#include <longspan/tensor/eigen.hpp>
#include <longspan/tensor/view.hpp>

LONGSPAN_NAMESPACE_BEGIN

// The doors of the forward pass. Everything is checked here, before anything is written, and trusted below.

// What both doors hand over. Where no log-sum-exp is kept its view has no extent; a caller's is checked before, for it must have one.
template <class Q, class K, class V, class Output>
auto make_forward_call(const Q& q, const K& k, const V& v, Output& output,
                       const view<compute_t<element_of<Q>>>& log_sum_exp = {}) {
  using S = element_of<Q>;
  using T = compute_t<S>;
  static_assert(std::is_same_v<T, compute_t<element_of<K>>> && std::is_same_v<T, compute_t<element_of<V>>> &&
                    std::is_same_v<T, compute_t<element_of<Output>>>,
                "double does not mix with narrower numbers: query, key, value and output compute in one precision");
  return forward_call<common_words<S, element_of<K>, element_of<V>>, S, element_of<K>, element_of<V>, element_of<Output>>{
      view_of(q), view_of(k), view_of(v), view_of(output), log_sum_exp};
}

template <device D, class... Parts, class Call>
void run_forward(const D& d, const mechanism<Parts...>& whole, const Call& call, const placement& where) {
  using Words = typename Call::words;
  using T = typename Words::compute;
  const shapes lengths = checked(call.query, call.key, call.value, where);
  require_results(lengths, "output", call.output, lengths.value_channels);
  require_unaliased(call);

  if (lengths.batch * lengths.heads * lengths.queries == 0) return;

  const auto bound = bind<T>(whole, lengths, tile_keys<Words>(lengths));
  if (lengths.queries * lengths.group() <= tile_shape<T>::query_rows)
    longspan::decode(d, bound, call);
  else
    longspan::prefill(d, bound, call);
}

// Fused attention into memory of the caller's: output (batch, head, query, value_channel) and log_sum_exp (batch, head, query), as
// tensors, maps, matrices or views, from q (batch, head, query, channel), k (batch, key_head, key, channel) and v (batch, key_head, key,
// value_channel). heads must be a multiple of key_heads. Float, double, half and bfloat16 storage; log_sum_exp is double for double and
// float otherwise. The device runs it: Eigen::DefaultDevice or Eigen::ThreadPoolDevice, with the same bits. Throws shape_error where
// the tensors do not fit, std::invalid_argument for a parameter of the mechanism out of its range; nothing is then written.
template <device D, class... Parts, class Q, class K, class V, class Output, class LogSumExp>
  requires(!std::same_as<std::remove_cvref_t<LogSumExp>, placement>)
void forward_into(const D& d, const mechanism<Parts...>& whole, const Q& q, const K& k, const V& v, Output&& output,
                  LogSumExp&& log_sum_exp, const placement& where = {}) {
  const auto call = longspan::make_forward_call(q, k, v, output, traits_of<LogSumExp>::log_sum_exp_of(log_sum_exp));
  require_results(checked(call.query, call.key, call.value, where), "log_sum_exp", call.log_sum_exp, 1);
  longspan::run_forward(d, whole, call, where);
}

// The same without the log-sum-exp.
template <device D, class... Parts, class Q, class K, class V, class Output>
void forward_into(const D& d, const mechanism<Parts...>& whole, const Q& q, const K& k, const V& v, Output&& output,
                  const placement& where = {}) {
  longspan::run_forward(d, whole, longspan::make_forward_call(q, k, v, output), where);
}

// Fused attention: returns attended{output, log_sum_exp}, Eigen tensors or matrices of the rank and storage order of q.
template <device D, class... Parts, class Q, class K, class V>
auto forward(const D& d, const mechanism<Parts...>& whole, const Q& q, const K& k, const V& v, const placement& where = {}) {
  using S = element_of<Q>;
  auto result = make_attended<Q, S>(checked(view_of(q), view_of(k), view_of(v), where));
  forward_into(d, whole, q, k, v, result.output, result.log_sum_exp, where);
  return result;
}

// Without a device, on the calling thread.
template <class... Parts, class Q, class K, class V>
auto forward(const mechanism<Parts...>& whole, const Q& q, const K& k, const V& v, const placement& where = {}) {
  return forward(Eigen::DefaultDevice{}, whole, q, k, v, where);
}
template <class... Parts, class... Tensors>
void forward_into(const mechanism<Parts...>& whole, Tensors&&... tensors) {
  forward_into(Eigen::DefaultDevice{}, whole, std::forward<Tensors>(tensors)...);
}

LONGSPAN_NAMESPACE_END

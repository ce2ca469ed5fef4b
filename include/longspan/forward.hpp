#pragma once

#include <concepts>
#include <span>
#include <tuple>
#include <type_traits>
#include <utility>

#include <longspan/core/device.hpp>
#include <longspan/kernel/attend_summands.hpp>
#include <longspan/kernel/attend_texts.hpp>
#include <longspan/kernel/prepare_row.hpp>
#include <longspan/kernel/without_negligible.hpp>
#include <longspan/mechanism/batch_of_texts.hpp>
#include <longspan/mechanism/bind_summands.hpp>
#include <longspan/mechanism/takers.hpp>
#include <longspan/mechanism/wrong_call.hpp>
#include <longspan/tensor/aliasing.hpp>
#include <longspan/tensor/attended.hpp>
#include <longspan/tensor/checked.hpp>
#include <longspan/tensor/eigen.hpp>
#include <longspan/tensor/forward_tensors.hpp>
#include <longspan/tensor/view.hpp>

LONGSPAN_NAMESPACE_BEGIN

// The doors of the forward pass. Everything is checked here, before anything is written, and trusted below.

namespace detail {

// Of inputs and results that fit each other.
template <device D, class... Parts, class Tensors>
void run_forward(const D& d, const mechanism<Parts...>& whole, const Tensors& tensors, const batch_of_texts& batch) {
  const auto& [lengths, texts] = batch;
  using Words = typename Tensors::words;
  using T = typename Words::compute;
  auto bound = detail::bind_for_kernel<T>(whole, lengths, texts, texts, tile_keys<Words>(lengths));
  if (lengths.heads == 0) return;
  if constexpr (is_sum<Parts...>)
    detail::attend_summands(d, std::move(bound), tensors, texts, [&](auto number, auto summand, const auto& into) {
      return detail::without_negligible(d, std::get<number>(whole.parts), std::move(summand), into);
    });
  else
    detail::attend_texts(d, detail::without_negligible(d, whole, std::move(bound), tensors), tensors, texts);
}

// The same into memory of the caller's.
template <device D, class... Parts, class Tensors>
void checked_forward(const D& d, const mechanism<Parts...>& whole, const Tensors& tensors, const placement& where,
                     bool with_log_sum_exp) {
  const batch_of_texts batch(tensors.query, tensors.key, tensors.value, where);
  require_results(batch.lengths, "output", tensors.output, batch.lengths.value_channels);
  if (with_log_sum_exp) require_sums(batch.lengths, "log_sum_exp", tensors.log_sum_exp);
  require_unaliased(tensors);
  require_apart_from_parts(whole, "output", tensors.output);
  require_apart_from_parts(whole, "log_sum_exp", tensors.log_sum_exp);
  detail::run_forward(d, whole, tensors, batch);
}

}  // namespace detail

// Fused attention into memory of the caller's: output (batch, head, query, value_channel) and log_sum_exp (batch, head, query), as tensors,
// maps, matrices or views, from q (batch, head, query, channel), k (batch, key_head, key, channel) and v (batch, key_head, key,
// value_channel). heads must be a multiple of key_heads. Float, double, half and bfloat16 storage; log_sum_exp is double for double and
// float otherwise. Weighted values are summed before the sum is divided: where keys times the largest value is more than a float holds,
// 3.4e38, the output may be infinite. The device runs it, with the same bits for any: one of Eigen's or of one's own (core/device.hpp).
// Throws shape_error where the tensors do not fit, std::invalid_argument for a parameter of the mechanism out of its range; nothing is then
// written.
template <device D, class... Parts, class Q, class K, class V, class Output, class LogSumExp>
  requires(!std::same_as<std::remove_cvref_t<LogSumExp>, placement> && !detail::is_cache<K>)
void forward_into(const D& d, const mechanism<Parts...>& whole, const Q& q, const K& k, const V& v, Output&& output,
                  LogSumExp&& log_sum_exp, const placement& where = {}) {
  const auto sums = detail::traits_of<LogSumExp>::log_sum_exp_of(log_sum_exp);
  static_assert(detail::are_sums_of<Q, std::remove_const_t<decltype(sums)>>());
  detail::checked_forward(d, whole, detail::make_forward_tensors(q, k, v, output, sums), where, true);
}

// The same without the log-sum-exp.
template <device D, class... Parts, class Q, class K, class V, class Output>
  requires(!detail::is_cache<K>)
void forward_into(const D& d, const mechanism<Parts...>& whole, const Q& q, const K& k, const V& v, Output&& output,
                  const placement& where = {}) {
  detail::checked_forward(d, whole, detail::make_forward_tensors(q, k, v, output), where, false);
}

// Fused attention: returns attended{output, log_sum_exp}, Eigen tensors or matrices of the rank and storage order of q.
template <device D, class... Parts, class Q, class K, class V>
  requires(!detail::is_cache<K>)
auto forward(const D& d, const mechanism<Parts...>& whole, const Q& q, const K& k, const V& v, const placement& where = {}) {
  const detail::batch_of_texts batch(detail::view_of(q), detail::view_of(k), detail::view_of(v), where);
  auto result = detail::make_attended<Q, detail::element_of<Q>>(batch.lengths);
  const auto sums = detail::traits_of<decltype(result.log_sum_exp)>::log_sum_exp_of(result.log_sum_exp);
  detail::run_forward(d, whole, detail::make_forward_tensors(q, k, v, result.output, sums), batch);
  return result;
}

// Without a device, on the calling thread.
template <class... Parts, class Q, class K, class V>
  requires(!detail::is_cache<K>)
auto forward(const mechanism<Parts...>& whole, const Q& q, const K& k, const V& v, const placement& where = {}) {
  return longspan::forward(Eigen::DefaultDevice{}, whole, q, k, v, where);
}
template <class... Parts, class... Tensors>
  requires(!detail::is_cache<std::remove_cvref_t<Tensors>> && ...)
void forward_into(const mechanism<Parts...>& whole, Tensors&&... tensors) {
  static_assert(detail::takes_forward_into<sizeof...(Tensors)>());
  longspan::forward_into(Eigen::DefaultDevice{}, whole, std::forward<Tensors>(tensors)...);
}

LONGSPAN_NAMESPACE_END

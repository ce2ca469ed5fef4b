#pragma once

#include <concepts>
#include <ranges>
#include <span>
#include <type_traits>
#include <utility>

#include <longspan/cache/forward.hpp>
#include <longspan/distributed/forward_over_caches.hpp>
#include <longspan/distributed/ring_call.hpp>
#include <longspan/distributed/ring_forward.hpp>
#include <longspan/distributed/together.hpp>
#include <longspan/forward.hpp>
#include <longspan/mechanism.hpp>
#include <longspan/mechanism/takers.hpp>
#include <longspan/mechanism/wrong_call.hpp>
#include <longspan/tensor/aliasing.hpp>
#include <longspan/tensor/attended.hpp>
#include <longspan/tensor/checked.hpp>
#include <longspan/tensor/forward_tensors.hpp>
#include <longspan/tensor/placement.hpp>
#include <longspan/tensor/traits.hpp>

LONGSPAN_NAMESPACE_BEGIN

// The doors of the forward pass over a ring.

namespace detail {

template <begins_calls Ring, class... Parts, class Tensors>
void forward_over(const Ring& over, const mechanism<Parts...>& whole, const Tensors& tensors, const placement& where) {
  const ring_call call(over.inside(), whole, tensors.query, tensors.key, tensors.value, where);
  together(over.inside(), [&] {
    require_results(call.lengths, "output", tensors.output, call.lengths.value_channels);
    if (tensors.keeps_log_sum_exp()) require_sums(call.lengths, "log_sum_exp", tensors.log_sum_exp);
    require_unaliased(tensors);
    require_apart_from_parts(whole, "output", tensors.output);
    require_apart_from_parts(whole, "log_sum_exp", tensors.log_sum_exp);
  });
  detail::run_ring_forward(over.inside(), over.device(), whole, call, tensors);
}

}  // namespace detail

// Fused attention over a ring, of the rank's own rows into memory of the caller's: see forward_into and ring.
template <detail::begins_calls Ring, class... Parts, class Q, class K, class V, class Output, class LogSumExp>
  requires(!std::same_as<std::remove_cvref_t<LogSumExp>, placement>)
void forward_into(const Ring& over, const mechanism<Parts...>& whole, const Q& q, const K& k, const V& v, Output&& output,
                  LogSumExp&& log_sum_exp, const placement& where = {}) {
  const auto sums = detail::traits_of<LogSumExp>::log_sum_exp_of(log_sum_exp);
  static_assert(detail::are_sums_of<Q, std::remove_const_t<decltype(sums)>>());
  detail::forward_over(over, whole, detail::make_forward_tensors(q, k, v, output, sums), where);
}
template <detail::begins_calls Ring, class... Parts, class Q, class K, class V, class Output>
void forward_into(const Ring& over, const mechanism<Parts...>& whole, const Q& q, const K& k, const V& v, Output&& output,
                  const placement& where = {}) {
  detail::forward_over(over, whole, detail::make_forward_tensors(q, k, v, output), where);
}

// The same into new results: attended{output, log_sum_exp} of the rank's own rows.
template <detail::begins_calls Ring, class... Parts, class Q, class K, class V>
  requires(!detail::is_cache<K>)
auto forward(const Ring& over, const mechanism<Parts...>& whole, const Q& q, const K& k, const V& v,
             const placement& where = {}) {
  const detail::ring_call call(over.inside(), whole, detail::view_of(q), detail::view_of(k), detail::view_of(v), where);
  auto result =
      detail::make_together(over.inside(), [&] { return detail::make_attended<Q, detail::element_of<Q>>(call.lengths); });
  const auto sums = detail::traits_of<decltype(result.log_sum_exp)>::log_sum_exp_of(result.log_sum_exp);
  detail::run_ring_forward(over.inside(), over.device(), whole, call, detail::make_forward_tensors(q, k, v, result.output, sums));
  return result;
}

// Fused attention of queries, those of rank 0, to the keys that caches on all ranks hold together, in any pieces: made with
// cache_shape{.first_key = ...}, each holds the keys of every text from there on. The whole result, with the same bits on every rank. A
// rank with several caches has them in a vector or an array. Queries are the last tokens of their texts unless `where` says otherwise.
// Throws what the forward pass over one cache throws (cache/forward.hpp), and shape_error where a key is kept nowhere, or twice.
template <detail::begins_calls Ring, class... Parts, class Q, detail::kept Kept>
auto forward(const Ring& over, const mechanism<Parts...>& whole, const Q& q, const Kept& cache, const placement& where = {}) {
  return detail::forward_over_caches(over, whole, q, std::span<const Kept>(&cache, 1), where);
}
template <detail::begins_calls Ring, class... Parts, class Q, std::ranges::contiguous_range Caches>
  requires detail::kept<std::ranges::range_value_t<Caches>>
auto forward(const Ring& over, const mechanism<Parts...>& whole, const Q& q, const Caches& caches, const placement& where = {}) {
  return detail::forward_over_caches(over, whole, q, std::span<const std::ranges::range_value_t<Caches>>(caches), where);
}

LONGSPAN_NAMESPACE_END

#pragma once

#include <concepts>
#include <type_traits>
#include <utility>

#include <longspan/cache/run_over_cache.hpp>
#include <longspan/cache/run_over_pages.hpp>
#include <longspan/core/device.hpp>
#include <longspan/mechanism/prepare.hpp>
#include <longspan/mechanism/takers.hpp>
#include <longspan/tensor/aliasing.hpp>
#include <longspan/tensor/attended.hpp>
#include <longspan/tensor/checked.hpp>
#include <longspan/tensor/eigen.hpp>
#include <longspan/tensor/placement.hpp>
#include <longspan/tensor/traits.hpp>

LONGSPAN_NAMESPACE_BEGIN

// The doors of the forward pass over keys and values that are kept: in a kv_cache, or in pages of an engine's own.

namespace detail {

template <class X>
concept kept = is_cache<X>;

template <device D, kept Kept, class... Parts, class Tensors>
void run_over(const D& d, const mechanism<Parts...>& whole, const Kept& cache, const Tensors& tensors,
              const texts_of_kept& batch) {
  if constexpr (pages_of_an_engine<Kept>)
    detail::run_over_pages(d, whole, cache, tensors, batch);
  else
    detail::run_over_cache(d, detail::unprepared(whole), cache, tensors, batch);
}

template <device D, kept Kept, class... Parts, class Tensors>
void checked_over(const D& d, const mechanism<Parts...>& whole, const Kept& cache, const Tensors& tensors,
                  const placement& where) {
  detail::require_kept_for(cache, detail::unprepared(whole));
  const texts_of_kept batch = detail::texts_of(cache, tensors.query, where);
  require_results(batch.lengths, "output", tensors.output, batch.lengths.value_channels);
  if (tensors.keeps_log_sum_exp()) require_sums(batch.lengths, "log_sum_exp", tensors.log_sum_exp);
  require_unaliased(tensors);
  require_apart_from_parts(whole, "output", tensors.output);
  require_apart_from_parts(whole, "log_sum_exp", tensors.log_sum_exp);
  detail::run_over(d, whole, cache, tensors, batch);
}

}  // namespace detail

// Fused attention of queries q (text, head, query, channel) to the keys of a cache, or to those in pages of an engine's own (paged), into
// memory of the caller's: see forward_into and kv_cache. Throws shape_error where queries, results or row parts are not those of the
// cache, where a row sees what was given back, and where a page of the table is none of the pool.
template <device D, class... Parts, class Q, detail::kept Kept, class Output, class LogSumExp>
  requires(!std::same_as<std::remove_cvref_t<LogSumExp>, placement>)
void forward_into(const D& d, const mechanism<Parts...>& whole, const Q& q, const Kept& cache, Output&& output,
                  LogSumExp&& log_sum_exp, const placement& where = {}) {
  const auto sums = detail::traits_of<LogSumExp>::log_sum_exp_of(log_sum_exp);
  static_assert(detail::are_sums_of<Q, std::remove_const_t<decltype(sums)>>());
  detail::checked_over(d, whole, cache, detail::make_tensors_over(cache, q, output, sums), where);
}
template <device D, class... Parts, class Q, detail::kept Kept, class Output>
void forward_into(const D& d, const mechanism<Parts...>& whole, const Q& q, const Kept& cache, Output&& output,
                  const placement& where = {}) {
  using T = detail::compute_t<detail::element_of<Q>>;
  detail::checked_over(d, whole, cache, detail::make_tensors_over(cache, q, output, view<T>{}), where);
}

// The same into new results: attended{output, log_sum_exp} of the rank and storage order of q.
template <device D, class... Parts, class Q, detail::kept Kept>
auto forward(const D& d, const mechanism<Parts...>& whole, const Q& q, const Kept& cache, const placement& where = {}) {
  detail::require_kept_for(cache, detail::unprepared(whole));
  const detail::texts_of_kept batch = detail::texts_of(cache, detail::view_of(q), where);
  auto result = detail::make_attended<Q, detail::element_of<Q>>(batch.lengths);
  const auto sums = detail::traits_of<decltype(result.log_sum_exp)>::log_sum_exp_of(result.log_sum_exp);
  detail::run_over(d, whole, cache, detail::make_tensors_over(cache, q, result.output, sums), batch);
  return result;
}

// Without a device, on the calling thread.
template <class... Parts, class Q, detail::kept Kept>
auto forward(const mechanism<Parts...>& whole, const Q& q, const Kept& cache, const placement& where = {}) {
  return longspan::forward(Eigen::DefaultDevice{}, whole, q, cache, where);
}
template <class... Parts, class Q, detail::kept Kept, class... Results>
void forward_into(const mechanism<Parts...>& whole, const Q& q, const Kept& cache, Results&&... results) {
  longspan::forward_into(Eigen::DefaultDevice{}, whole, q, cache, std::forward<Results>(results)...);
}

LONGSPAN_NAMESPACE_END

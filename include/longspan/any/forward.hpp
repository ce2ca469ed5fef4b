#pragma once

#include <type_traits>
#include <utility>

#include <longspan/any/cache.hpp>
#include <longspan/any/mechanism.hpp>
#include <longspan/any/sentence.hpp>
#include <longspan/core/any_device.hpp>
#include <longspan/core/device.hpp>
#include <longspan/tensor/attended.hpp>
#include <longspan/tensor/checked.hpp>
#include <longspan/tensor/eigen.hpp>
#include <longspan/tensor/paged.hpp>
#include <longspan/tensor/placement.hpp>
#include <longspan/tensor/traits.hpp>
#include <longspan/tensor/view.hpp>

LONGSPAN_NAMESPACE_BEGIN
namespace detail {

// Keys and values that are kept, and how many channels the values have.
template <class X>
inline constexpr bool is_any_kept = is_paged<X>;
template <class S>
inline constexpr bool is_any_kept<any_cache<S>> = true;

template <class S>
any_object object_in(const any_cache<S>& cache) {
  return cache.inside().cache();
}
template <class Pages>
any_object object_in(const Pages& pages) {
  return any_object::of(pages);
}
template <class S>
index_t value_channels_of(const any_cache<S>& cache) {
  return cache.shape().value_channels;
}
template <class Pages>
index_t value_channels_of(const Pages& pages) {
  detail::require_pages(detail::pages_in(pages));
  return detail::pages_in(pages).values.extent[3];
}

// New results for queries and values; what does not fit the mechanism is told where it runs.
template <class S, class Q>
auto make_results(const Q& q, index_t value_channels) {
  const view<const S> of = detail::view_of(q);
  require_memory("query", of);
  return detail::make_attended<Q, S>(
      {.batch = of.extent[0], .heads = of.extent[1], .queries = of.extent[2], .value_channels = value_channels});
}

template <class S, class Output, class LogSumExp>
any_results<S> results_of(Output& output, LogSumExp& log_sum_exp) {
  const auto sums = traits_of<LogSumExp>::log_sum_exp_of(log_sum_exp);
  static_assert(hold_its_numbers<S, Output>() && are_writable<Output>() &&
                are_sums_of<Output, std::remove_const_t<decltype(sums)>>());
  return {detail::view_of(output), sums};
}

}  // namespace detail

// The forward pass of a mechanism that is chosen at run time, over tensors: see forward.hpp, whose results these have.
template <device D, class S, class Q, class K, class V, class Output, class LogSumExp>
  requires(!std::is_same_v<std::remove_cvref_t<LogSumExp>, placement> && !detail::is_any_kept<K>)
void forward_into(const D& d, const any_mechanism<S>& whole, const Q& q, const K& k, const V& v, Output&& output,
                  LogSumExp&& log_sum_exp, const placement& where = {}) {
  static_assert(detail::hold_its_numbers<S, Q, K, V>());
  whole.inside().forward(detail::any_device::of(d), {detail::view_of(q), detail::view_of(k), detail::view_of(v)},
                         detail::results_of<S>(output, log_sum_exp), where);
}
template <device D, class S, class Q, class K, class V, class Output>
  requires(!detail::is_any_kept<K>)
void forward_into(const D& d, const any_mechanism<S>& whole, const Q& q, const K& k, const V& v, Output&& output,
                  const placement& where = {}) {
  static_assert(detail::hold_its_numbers<S, Q, K, V, Output>() && detail::are_writable<Output>());
  whole.inside().forward(detail::any_device::of(d), {detail::view_of(q), detail::view_of(k), detail::view_of(v)},
                         {detail::view_of(output), {}}, where);
}
template <device D, class S, class Q, class K, class V>
  requires(!detail::is_any_kept<K>)
auto forward(const D& d, const any_mechanism<S>& whole, const Q& q, const K& k, const V& v, const placement& where = {}) {
  static_assert(detail::hold_its_numbers<S, Q, K, V>());
  const view<const S> values = detail::view_of(v);
  detail::require_memory("value", values);
  auto made = detail::make_results<S>(q, values.extent[3]);
  longspan::forward_into(d, whole, q, k, v, made.output, made.log_sum_exp, where);
  return made;
}

// Over an any_cache, or over pages of an engine's own, whose keys and values are those of its texts.
template <device D, class S, class Q, class Kept, class Output, class LogSumExp>
  requires(!std::is_same_v<std::remove_cvref_t<LogSumExp>, placement> && detail::is_any_kept<Kept>)
void forward_into(const D& d, const any_mechanism<S>& whole, const Q& q, const Kept& kept, Output&& output,
                  LogSumExp&& log_sum_exp, const placement& where = {}) {
  static_assert(detail::hold_its_numbers<S, Q>());
  whole.inside().forward_over(detail::any_device::of(d), detail::view_of(q), detail::object_in(kept),
                              detail::results_of<S>(output, log_sum_exp), where);
}
template <device D, class S, class Q, class Kept, class Output>
  requires detail::is_any_kept<Kept>
void forward_into(const D& d, const any_mechanism<S>& whole, const Q& q, const Kept& kept, Output&& output,
                  const placement& where = {}) {
  static_assert(detail::hold_its_numbers<S, Q, Output>() && detail::are_writable<Output>());
  whole.inside().forward_over(detail::any_device::of(d), detail::view_of(q), detail::object_in(kept),
                              {detail::view_of(output), {}}, where);
}
template <device D, class S, class Q, class Kept>
  requires detail::is_any_kept<Kept>
auto forward(const D& d, const any_mechanism<S>& whole, const Q& q, const Kept& kept, const placement& where = {}) {
  static_assert(detail::hold_its_numbers<S, Q>());
  auto made = detail::make_results<S>(q, detail::value_channels_of(kept));
  longspan::forward_into(d, whole, q, kept, made.output, made.log_sum_exp, where);
  return made;
}

// Keys for pages of an engine's own, turned once: see cache/prepare_keys.hpp. Into tensors of what the pages hold.
template <device D, class S, class K, class Prepared>
void prepare_keys(const D& d, const any_mechanism<S>& whole, const K& k, Prepared&& prepared, const placement& where = {}) {
  static_assert(detail::hold_its_numbers<S, K>() && detail::hold_numbers<Prepared>() && detail::are_writable<Prepared>());
  whole.inside().prepare_keys(detail::any_device::of(d), detail::view_of(k), detail::any_object::of(detail::view_of(prepared)),
                              where);
}

// Without a device, on the calling thread.
template <class S, class Q, class... More>
auto forward(const any_mechanism<S>& whole, const Q& q, const More&... more) {
  return longspan::forward(Eigen::DefaultDevice{}, whole, q, more...);
}
template <class S, class... Tensors>
void forward_into(const any_mechanism<S>& whole, Tensors&&... tensors) {
  longspan::forward_into(Eigen::DefaultDevice{}, whole, std::forward<Tensors>(tensors)...);
}
template <class S, class K, class Prepared>
void prepare_keys(const any_mechanism<S>& whole, const K& k, Prepared&& prepared, const placement& where = {}) {
  longspan::prepare_keys(Eigen::DefaultDevice{}, whole, k, prepared, where);
}

LONGSPAN_NAMESPACE_END

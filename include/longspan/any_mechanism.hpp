#pragma once

#include <memory>
#include <type_traits>
#include <utility>

#include <longspan/cache/any_cache.hpp>
#include <longspan/cache/any_sentence.hpp>
#include <longspan/core/any_device.hpp>
#include <longspan/core/device.hpp>
#include <longspan/tensor/attended.hpp>
#include <longspan/tensor/checked.hpp>
#include <longspan/tensor/eigen.hpp>
#include <longspan/tensor/gradients.hpp>
#include <longspan/tensor/placement.hpp>
#include <longspan/tensor/traits.hpp>
#include <longspan/tensor/view.hpp>

LONGSPAN_NAMESPACE_BEGIN

// A mechanism that is chosen at run time: any sentence, for tensors of one storage type. make_any (make_any.hpp) makes one, in one unit of
// a program; every other unit includes this header alone, which holds nothing of the kernel, and compiles in 2 s. It stands where a
// sentence stands in forward, forward_into, backward and backward_into, with the same bits and errors, for q, k, v and results of S;
// log-sum-exp is double for double and float otherwise. Copies share the sentence, which never changes, and may be used by several threads.
//
//   longspan::any_mechanism<float> mechanism_of(const configuration& c);     // defined in the unit that includes make_any.hpp
//   const auto mechanism = mechanism_of(c);
//   const auto output = longspan::forward(mechanism, q, k, v).output;
template <class S>
class any_mechanism {
 public:
  explicit any_mechanism(std::shared_ptr<const detail::any_sentence<S>> of) : sentence_(std::move(of)) {}
  const detail::any_sentence<S>& inside() const { return *sentence_; }  // internal

 private:
  std::shared_ptr<const detail::any_sentence<S>> sentence_;
};

namespace detail {

template <class X>
inline constexpr bool is_any_cache = false;
template <class S>
inline constexpr bool is_any_cache<any_cache<S>> = true;

template <class S, class... Tensors>
constexpr bool hold_its_numbers() {
  static_assert((std::is_same_v<S, element_of<Tensors>> && ...),
                "an any_mechanism is made for one storage type: any_mechanism<float> takes tensors of float; other numbers, and "
                "several kinds in one call, take a sentence");
  return true;
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

// The doors of a mechanism that is chosen at run time, over tensors: see forward.hpp and backward.hpp, whose results these have.
template <device D, class S, class Q, class K, class V, class Output, class LogSumExp>
  requires(!std::is_same_v<std::remove_cvref_t<LogSumExp>, placement> && !detail::is_any_cache<K>)
void forward_into(const D& d, const any_mechanism<S>& whole, const Q& q, const K& k, const V& v, Output&& output,
                  LogSumExp&& log_sum_exp, const placement& where = {}) {
  static_assert(detail::hold_its_numbers<S, Q, K, V>());
  whole.inside().forward(detail::any_device::of(d), {detail::view_of(q), detail::view_of(k), detail::view_of(v)},
                         detail::results_of<S>(output, log_sum_exp), where);
}
template <device D, class S, class Q, class K, class V, class Output>
  requires(!detail::is_any_cache<K>)
void forward_into(const D& d, const any_mechanism<S>& whole, const Q& q, const K& k, const V& v, Output&& output,
                  const placement& where = {}) {
  static_assert(detail::hold_its_numbers<S, Q, K, V, Output>() && detail::are_writable<Output>());
  whole.inside().forward(detail::any_device::of(d), {detail::view_of(q), detail::view_of(k), detail::view_of(v)},
                         {detail::view_of(output), {}}, where);
}
template <device D, class S, class Q, class K, class V>
  requires(!detail::is_any_cache<K>)
auto forward(const D& d, const any_mechanism<S>& whole, const Q& q, const K& k, const V& v, const placement& where = {}) {
  static_assert(detail::hold_its_numbers<S, Q, K, V>());
  const view<const S> values = detail::view_of(v);
  detail::require_memory("value", values);
  auto made = detail::make_results<S>(q, values.extent[3]);
  longspan::forward_into(d, whole, q, k, v, made.output, made.log_sum_exp, where);
  return made;
}

// Over a cache, whose keys and values are those of its texts.
template <device D, class S, class Q, class Output, class LogSumExp>
  requires(!std::is_same_v<std::remove_cvref_t<LogSumExp>, placement>)
void forward_into(const D& d, const any_mechanism<S>& whole, const Q& q, const any_cache<S>& cache, Output&& output,
                  LogSumExp&& log_sum_exp, const placement& where = {}) {
  static_assert(detail::hold_its_numbers<S, Q>());
  whole.inside().forward_over(detail::any_device::of(d), detail::view_of(q), cache.inside(),
                              detail::results_of<S>(output, log_sum_exp), where);
}
template <device D, class S, class Q, class Output>
void forward_into(const D& d, const any_mechanism<S>& whole, const Q& q, const any_cache<S>& cache, Output&& output,
                  const placement& where = {}) {
  static_assert(detail::hold_its_numbers<S, Q, Output>() && detail::are_writable<Output>());
  whole.inside().forward_over(detail::any_device::of(d), detail::view_of(q), cache.inside(), {detail::view_of(output), {}},
                              where);
}
template <device D, class S, class Q>
auto forward(const D& d, const any_mechanism<S>& whole, const Q& q, const any_cache<S>& cache, const placement& where = {}) {
  static_assert(detail::hold_its_numbers<S, Q>());
  auto made = detail::make_results<S>(q, cache.shape().value_channels);
  longspan::forward_into(d, whole, q, cache, made.output, made.log_sum_exp, where);
  return made;
}

// Gradients of tensors.
template <device D, class S, class Q, class K, class V, class Kept, class DKept, class DQ, class DK, class DV>
void backward_into(const D& d, const any_mechanism<S>& whole, const Q& q, const K& k, const V& v, const Kept& kept,
                   const DKept& d_kept, DQ&& d_q, DK&& d_k, DV&& d_v, const placement& where = {}) {
  static_assert(detail::hold_its_numbers<S, Q, K, V, decltype(kept.output), DQ, DK, DV>() && detail::are_writable<DQ, DK, DV>());
  const auto sums = [](const auto& of) { return detail::traits_of<decltype(of)>::log_sum_exp_of(of); };
  detail::any_gradients<S> all{detail::view_of(kept.output), sums(kept.log_sum_exp), {}, {}, detail::view_of(d_q),
                               detail::view_of(d_k),         detail::view_of(d_v)};
  if constexpr (requires { d_kept.output, d_kept.log_sum_exp; })
    all.d_output = detail::view_of(d_kept.output), all.d_log_sum_exp = sums(d_kept.log_sum_exp);
  else
    all.d_output = detail::view_of(d_kept);
  whole.inside().backward(detail::any_device::of(d), {detail::view_of(q), detail::view_of(k), detail::view_of(v)}, all, where);
}
template <device D, class S, class Q, class K, class V, class Kept, class DKept>
auto backward(const D& d, const any_mechanism<S>& whole, const Q& q, const K& k, const V& v, const Kept& kept,
              const DKept& d_kept, const placement& where = {}) {
  detail::require_memory("query", detail::view_of(q)), detail::require_memory("key", detail::view_of(k));
  detail::require_memory("value", detail::view_of(v));
  auto made = detail::make_gradients(q, k, v);
  longspan::backward_into(d, whole, q, k, v, kept, d_kept, made.d_query, made.d_key, made.d_value, where);
  return made;
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
template <class S, class Q, class... More>
auto backward(const any_mechanism<S>& whole, const Q& q, const More&... more) {
  return longspan::backward(Eigen::DefaultDevice{}, whole, q, more...);
}
template <class S, class... Tensors>
void backward_into(const any_mechanism<S>& whole, Tensors&&... tensors) {
  longspan::backward_into(Eigen::DefaultDevice{}, whole, std::forward<Tensors>(tensors)...);
}

LONGSPAN_NAMESPACE_END

#pragma once

#include <span>
#include <type_traits>
#include <utility>
#include <vector>

#include <longspan/core/device.hpp>
#include <longspan/core/text.hpp>
#include <longspan/kernel/bound_backward.hpp>
#include <longspan/kernel/differentiate_summands.hpp>
#include <longspan/mechanism/batch_of_texts.hpp>
#include <longspan/mechanism/bind.hpp>
#include <longspan/mechanism/bind_summands.hpp>
#include <longspan/mechanism/parameters_of.hpp>
#include <longspan/mechanism/require_differentiable.hpp>
#include <longspan/mechanism/takers.hpp>
#include <longspan/mechanism/wrong_call.hpp>
#include <longspan/position/angle_table.hpp>
#include <longspan/tensor/aliasing.hpp>
#include <longspan/tensor/attended.hpp>
#include <longspan/tensor/backward_tensors.hpp>
#include <longspan/tensor/checked.hpp>
#include <longspan/tensor/eigen.hpp>
#include <longspan/tensor/gradients.hpp>

LONGSPAN_NAMESPACE_BEGIN

// The doors of the backward pass. Everything is checked here, before anything is written, and trusted below.

namespace detail {

// Throws shape_error where results, gradients or what was kept do not fit queries, keys and values that fit each other, or share memory.
template <class... Parts, class Tensors>
void require_fitting(const mechanism<Parts...>& whole, const Tensors& tensors, const shapes& lengths) {
  detail::require_differentiable(whole);
  require_results(lengths, "output", tensors.output, lengths.value_channels);
  require_sums(lengths, "log_sum_exp", tensors.log_sum_exp);
  require_results(lengths, "d_output", tensors.d_output, lengths.value_channels);
  if (tensors.with_log_sum_exp()) require_sums(lengths, "d_log_sum_exp", tensors.d_log_sum_exp);
  require_like("d_query", tensors.d_query, "query", tensors.query);
  require_like("d_key", tensors.d_key, "key", tensors.key);
  require_like("d_value", tensors.d_value, "value", tensors.value);
  require_gradients_unaliased(tensors);
  require_part_gradients_apart(whole, tensors);
}

// Shared by all doors, which know that q, k and v fit each other. Returns the derivatives by the learned numbers, where they are asked for:
// see no_derivatives.
template <bool Learning, device D, class... Parts, class Tensors>
std::vector<std::vector<double>> checked_backward(const D& d, const mechanism<Parts...>& whole, const Tensors& tensors,
                                                  const batch_of_texts& batch) {
  using T = typename Tensors::compute;
  const shapes& lengths = batch.lengths;
  const std::span<const text> texts(batch.texts);
  detail::require_fitting(whole, tensors, lengths);
  detail::check(whole, lengths, texts);  // before takers ask for memory
  const auto& taking = detail::with_takers<Learning, T>(whole, lengths);
  if (lengths.key_heads == 0) {
    detail::begin_gradients(taking), detail::finish_gradients(taking);
    return detail::no_derivatives<Learning>(whole, lengths);
  }
  angle_tables<T> tables(texts);
  auto bound = detail::bind_each(taking, lengths, texts, [&](const auto& sentence, const auto& seen) {
    return detail::bind_backward<Learning, T>(sentence, lengths, texts, seen, tables);
  });
  auto d_parameters = detail::no_derivatives<Learning>(taking, lengths);
  detail::begin_gradients(taking);
  if constexpr (is_sum<Parts...>)
    detail::differentiate_summands(d, taking, std::move(bound), tensors, texts, d_parameters);
  else
    detail::differentiate_sentence(d, taking, std::move(bound), tensors, texts, d_parameters);
  detail::finish_gradients(taking);
  return detail::with_those_of_takers<Learning>(taking, std::move(d_parameters));
}

// Puts the gradients of learned numbers in their place in a mechanism.
template <class... Parts>
void put_parameters(const mechanism<Parts...>& whole, const std::vector<std::vector<double>>& d_parameters,
                    mechanism<Parts...>& d_mechanism) {
  auto gradient = whole;
  detail::for_each_parameter(gradient, [&](auto& number, std::size_t index) { become(number, d_parameters[index]); });
  detail::parameters_of(d_mechanism) = detail::parameters_of(gradient);
}

// Gradients of the tensors, and of the learned numbers into a mechanism of the same type.
template <device D, class... Parts, class Tensors>
void backward_with_parameters(const D& d, const mechanism<Parts...>& whole, const Tensors& tensors, const batch_of_texts& batch,
                              mechanism<Parts...>& d_mechanism) {
  detail::put_parameters(whole, detail::checked_backward<true>(d, whole, tensors, batch), d_mechanism);
}

template <class Q, class K, class V>
batch_of_texts batch_of(const Q& q, const K& k, const V& v, const placement& where) {
  return {detail::view_of(q), detail::view_of(k), detail::view_of(v), where};
}

}  // namespace detail

// Gradients into memory of the caller's, which is overwritten: d_q, d_k, d_v of the shapes of q, k, v. From the inputs and the placement
// of forward, `kept`, which is the attended{output, log_sum_exp} that it made (merged ones give the gradients of the whole through the
// part of the keys at hand), and `d_kept`, the gradient of the output, or attended{d_output, d_log_sum_exp}. Memory grows with the
// number of tokens. The device runs it, with the same bits for any. Throws what forward throws.
template <device D, class... Parts, class Q, class K, class V, class Kept, class DKept, class DQ, class DK, class DV>
void backward_into(const D& d, const mechanism<Parts...>& whole, const Q& q, const K& k, const V& v, const Kept& kept,
                   const DKept& d_kept, DQ&& d_q, DK&& d_k, DV&& d_v, const placement& where = {}) {
  detail::checked_backward<false>(d, whole, detail::make_backward_tensors(q, k, v, kept, d_kept, d_q, d_k, d_v),
                                  detail::batch_of(q, k, v, where));
}

// The same, and the gradients of the learned numbers: `d_mechanism` takes them in the place of the numbers themselves. A list, a number for
// each head, counts as one. Beside the backward pass alone (8 heads, n = 2048, d = 64, causal, Zen 5):
//   temperatures right behind the score   a dot product a row for all of them: 1 to 4 %
//   by_distance, scale_invariant          sums along diagonals, one or two numbers for each distance and head, and an evaluation of the
//                                         function for each number and distance: 4 to 10 %, for 1, 8 or 64 numbers
//   the body of any other transform       runs on dual numbers for each: of a polynomial, 5 % for one number and 122 % for 8
template <device D, class... Parts, class Q, class K, class V, class Kept, class DKept, class DQ, class DK, class DV>
void backward_with_parameters_into(const D& d, const mechanism<Parts...>& whole, const Q& q, const K& k, const V& v,
                                   const Kept& kept, const DKept& d_kept, DQ&& d_q, DK&& d_k, DV&& d_v,
                                   mechanism<Parts...>& d_mechanism, const placement& where = {}) {
  detail::backward_with_parameters(d, whole, detail::make_backward_tensors(q, k, v, kept, d_kept, d_q, d_k, d_v),
                                   detail::batch_of(q, k, v, where), d_mechanism);
}

// The gradients of fused attention: gradients{d_query, d_key, d_value}, Eigen tensors or matrices of the shapes of q, k and v. See
// backward_into.
template <device D, class... Parts, class Q, class K, class V, class Kept, class DKept>
auto backward(const D& d, const mechanism<Parts...>& whole, const Q& q, const K& k, const V& v, const Kept& kept,
              const DKept& d_kept, const placement& where = {}) {
  const auto batch = detail::batch_of(q, k, v, where);
  auto made = detail::make_gradients(q, k, v);
  detail::checked_backward<false>(
      d, whole, detail::make_backward_tensors(q, k, v, kept, d_kept, made.d_query, made.d_key, made.d_value), batch);
  return made;
}

// The same with the gradients of the learned numbers of the mechanism: gradients_with_parameters{d_query, d_key, d_value, d_mechanism}.
template <device D, class... Parts, class Q, class K, class V, class Kept, class DKept>
auto backward_with_parameters(const D& d, const mechanism<Parts...>& whole, const Q& q, const K& k, const V& v, const Kept& kept,
                              const DKept& d_kept, const placement& where = {}) {
  const auto batch = detail::batch_of(q, k, v, where);
  auto made = detail::make_gradients(q, k, v);
  gradients_with_parameters all{std::move(made.d_query), std::move(made.d_key), std::move(made.d_value), whole};
  detail::backward_with_parameters(d, whole,
                                   detail::make_backward_tensors(q, k, v, kept, d_kept, all.d_query, all.d_key, all.d_value),
                                   batch, all.d_mechanism);
  return all;
}

// Without a device, on the calling thread.
template <class... Parts, class Q, class K, class V, class Kept, class DKept>
auto backward(const mechanism<Parts...>& whole, const Q& q, const K& k, const V& v, const Kept& kept, const DKept& d_kept,
              const placement& where = {}) {
  return longspan::backward(Eigen::DefaultDevice{}, whole, q, k, v, kept, d_kept, where);
}
template <class... Parts, class Q, class K, class V, class Kept, class DKept>
auto backward_with_parameters(const mechanism<Parts...>& whole, const Q& q, const K& k, const V& v, const Kept& kept,
                              const DKept& d_kept, const placement& where = {}) {
  return longspan::backward_with_parameters(Eigen::DefaultDevice{}, whole, q, k, v, kept, d_kept, where);
}
template <class... Parts, class... Tensors>
void backward_into(const mechanism<Parts...>& whole, Tensors&&... tensors) {
  static_assert(detail::takes_backward_into<sizeof...(Tensors)>());
  longspan::backward_into(Eigen::DefaultDevice{}, whole, std::forward<Tensors>(tensors)...);
}
template <class... Parts, class... Tensors>
void backward_with_parameters_into(const mechanism<Parts...>& whole, Tensors&&... tensors) {
  static_assert(detail::takes_backward_with_parameters_into<sizeof...(Tensors)>());
  longspan::backward_with_parameters_into(Eigen::DefaultDevice{}, whole, std::forward<Tensors>(tensors)...);
}

LONGSPAN_NAMESPACE_END

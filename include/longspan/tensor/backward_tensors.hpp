#pragma once

#include <type_traits>

#include <longspan/core/text.hpp>
#include <longspan/simd/words.hpp>
#include <longspan/tensor/attended.hpp>
#include <longspan/tensor/checked.hpp>
#include <longspan/tensor/traits.hpp>
#include <longspan/tensor/view.hpp>

LONGSPAN_NAMESPACE_BEGIN
namespace detail {

// Inputs of one backward pass, what forward kept, the gradients that come in and those that go out. d_log_sum_exp has no extent where
// there is none.
template <class T, class Q, class K, class V, class O, class G, class DQ, class DK, class DV>
struct backward_tensors {
  using compute = T;
  using words = common_words<Q, K, V>;  // what the forward pass multiplied
  view<const Q> query;
  view<const K> key;
  view<const V> value;
  view<const O> output;
  view<const T> log_sum_exp;
  view<const G> d_output;
  view<const T> d_log_sum_exp;
  view<DQ> d_query;
  view<DK> d_key;
  view<DV> d_value;

  // Calls visit(name, view) for what a pass reads, and for what it writes.
  template <class Visit>
  void for_each_read(Visit visit) const {
    visit("query", query), visit("key", key), visit("value", value);
    visit("output", output), visit("log_sum_exp", log_sum_exp);
    visit("d_output", d_output), visit("d_log_sum_exp", d_log_sum_exp);
  }
  template <class Visit>
  void for_each_gradient(Visit visit) const {
    visit("d_query", d_query), visit("d_key", d_key), visit("d_value", d_value);
  }

  // What a text has of them.
  backward_tensors tokens_of(const text& of) const {
    const auto queries = [&](const auto& tensor) { return tensor.tokens_of(of.batch, of.queries); };
    const auto keys = [&](const auto& tensor) { return tensor.tokens_of(of.batch, of.keys); };
    return {queries(query),         keys(key),        keys(value), queries(output), queries(log_sum_exp), queries(d_output),
            queries(d_log_sum_exp), queries(d_query), keys(d_key), keys(d_value)};
  }

  // The same inputs with other gradients.
  template <class Other>
  backward_tensors<T, Q, K, V, O, G, Other, Other, Other> with_gradients(const view<Other>& other_d_query,
                                                                         const view<Other>& other_d_key,
                                                                         const view<Other>& other_d_value) const {
    return {query, key, value, output, log_sum_exp, d_output, d_log_sum_exp, other_d_query, other_d_key, other_d_value};
  }

  bool with_log_sum_exp() const { return d_log_sum_exp.extent[3] != 0; }
};

template <class X>
inline constexpr bool is_attended = false;
template <class Output, class LogSumExp>
inline constexpr bool is_attended<attended<Output, LogSumExp>> = true;

template <class T, class... Tensors>
inline constexpr bool computes_in = (std::is_same_v<T, compute_t<element_of<Tensors>>> && ...);

// What a door was given, as views. `kept` is what forward returned; `d_kept` is the gradient of the output, or attended{d_output,
// d_log_sum_exp} where the log-sum-exp is part of the loss too.
template <class Q, class K, class V, class Kept, class DKept, class DQ, class DK, class DV>
auto make_backward_tensors(const Q& q, const K& k, const V& v, const Kept& kept, const DKept& d_kept, DQ& d_q, DK& d_k, DV& d_v) {
  static_assert(
      requires { kept.output, kept.log_sum_exp; },
      "backward takes what forward made, after q, k and v: backward(mechanism, q, k, v, kept, d_output), where kept is "
      "forward(mechanism, q, k, v), or attended{output, log_sum_exp} of tensors or views");
  static_assert(hold_numbers<Q, K, V, DQ, DK, DV>() && are_writable<DQ, DK, DV>());
  using T = compute_t<element_of<Q>>;
  static_assert(computes_in<T, K, V, DQ, DK, DV, decltype(kept.output), decltype(kept.log_sum_exp)>,
                "double does not mix with narrower numbers: inputs, what was kept and gradients compute in one precision");
  const auto log_sum_exp_of = [](const auto& of) -> view<const T> { return traits_of<decltype(of)>::log_sum_exp_of(of); };
  const auto all = [&](const auto& d_output, const view<const T>& d_log_sum_exp) {
    using O = element_of<decltype(kept.output)>;
    using G = element_of<decltype(d_output)>;
    return backward_tensors<T, element_of<Q>, element_of<K>, element_of<V>, O, G, element_of<DQ>, element_of<DK>, element_of<DV>>{
        detail::view_of(q),
        detail::view_of(k),
        detail::view_of(v),
        detail::view_of(kept.output),
        log_sum_exp_of(kept.log_sum_exp),
        detail::view_of(d_output),
        d_log_sum_exp,
        detail::view_of(d_q),
        detail::view_of(d_k),
        detail::view_of(d_v)};
  };
  if constexpr (is_attended<DKept>) {
    const view<const T> d_log_sum_exp = log_sum_exp_of(d_kept.log_sum_exp);
    require_one_a_row("d_log_sum_exp", d_log_sum_exp);  // one without extent would count as none
    return all(d_kept.output, d_log_sum_exp);
  } else {
    return all(d_kept, {});
  }
}

}  // namespace detail
LONGSPAN_NAMESPACE_END

#pragma once

#include <type_traits>

#include <longspan/core/text.hpp>
#include <longspan/simd/words.hpp>
#include <longspan/tensor/tokens_of.hpp>
#include <longspan/tensor/traits.hpp>
#include <longspan/tensor/view.hpp>

LONGSPAN_NAMESPACE_BEGIN
namespace detail {

// Inputs and results of one forward pass, each in its own storage type, and the words that its products read. log_sum_exp has no extent
// where none is kept.
template <class Words, class Q, class K, class V, class Out>
struct forward_tensors {
  using words = Words;
  using key_number = K;
  view<const Q> query;
  view<const K> key;
  view<const V> value;
  view<Out> output;
  view<typename Words::compute> log_sum_exp;

  // Calls visit(name, view) for what a pass reads.
  template <class Visit>
  void for_each_read(Visit visit) const {
    visit("query", query), visit("key", key), visit("value", value);
  }

  // What a text has of them.
  forward_tensors tokens_of(const text& of) const {
    return {detail::tokens_of(query, of.batch, of.queries), detail::tokens_of(key, of.batch, of.keys),
            detail::tokens_of(value, of.batch, of.keys), detail::tokens_of(output, of.batch, of.queries),
            detail::tokens_of(log_sum_exp, of.batch, of.queries)};
  }

  // The same inputs with other results.
  template <class Other>
  forward_tensors<Words, Q, K, V, Other> with_results(const view<Other>& other_output,
                                                      const view<typename Words::compute>& other_log_sum_exp) const {
    return {query, key, value, other_output, other_log_sum_exp};
  }

  bool keeps_log_sum_exp() const { return log_sum_exp.extent[3] != 0; }
};

// What a door was given. Where no log-sum-exp is kept its view has no extent.
template <class Q, class K, class V, class Output>
auto make_forward_tensors(const Q& q, const K& k, const V& v, Output& output,
                          const view<compute_t<element_of<Q>>>& log_sum_exp = {}) {
  static_assert(hold_numbers<Q, K, V, Output>() && are_writable<Output>());
  using S = element_of<Q>;
  using T = compute_t<S>;
  static_assert(std::is_same_v<T, compute_t<element_of<K>>> && std::is_same_v<T, compute_t<element_of<V>>> &&
                    std::is_same_v<T, compute_t<element_of<Output>>>,
                "double does not mix with narrower numbers: query, key, value and output compute in one precision");
  return forward_tensors<common_words<S, element_of<K>, element_of<V>>, S, element_of<K>, element_of<V>, element_of<Output>>{
      detail::view_of(q), detail::view_of(k), detail::view_of(v), detail::view_of(output), log_sum_exp};
}

}  // namespace detail
LONGSPAN_NAMESPACE_END

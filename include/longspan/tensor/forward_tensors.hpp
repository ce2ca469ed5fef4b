#pragma once

#include <type_traits>

#include <longspan/core/text.hpp>
#include <longspan/simd/words.hpp>
#include <longspan/tensor/traits.hpp>
#include <longspan/tensor/view.hpp>

LONGSPAN_NAMESPACE_BEGIN
namespace detail {

// Inputs and results of one forward pass, each a view in its own storage type, and the words that its products read; keys and values may
// be those of pages (tensor/paged.hpp). log_sum_exp has no extent where none is kept.
template <class Words, class Query, class Key, class Value, class Output>
struct forward_tensors {
  using words = Words;
  Query query;
  Key key;
  Value value;
  Output output;
  view<typename Words::compute> log_sum_exp;

  // Calls visit(name, view) for what a pass reads.
  template <class Visit>
  void for_each_read(Visit visit) const {
    visit("query", query), visit("key", key.memory()), visit("value", value.memory());
  }

  // What a text has of them.
  forward_tensors tokens_of(const text& of) const {
    return {query.tokens_of(of.batch, of.queries), key.tokens_of(of.batch, of.keys), value.tokens_of(of.batch, of.keys),
            output.tokens_of(of.batch, of.queries), log_sum_exp.tokens_of(of.batch, of.queries)};
  }

  // The same inputs with other results.
  template <class S>
  forward_tensors<Words, Query, Key, Value, view<S>> with_results(const view<S>& other_output,
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
  return forward_tensors<common_words<S, element_of<K>, element_of<V>>, view<const S>, view<const element_of<K>>,
                         view<const element_of<V>>, view<element_of<Output>>>{
      detail::view_of(q), detail::view_of(k), detail::view_of(v), detail::view_of(output), log_sum_exp};
}

}  // namespace detail
LONGSPAN_NAMESPACE_END

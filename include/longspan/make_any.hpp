#pragma once

#include <utility>

#include <longspan/any/sentence_of.hpp>
#include <longspan/any_mechanism.hpp>
#include <longspan/mechanism.hpp>

LONGSPAN_NAMESPACE_BEGIN

// A sentence that is chosen at run time, for tensors of S: see any_mechanism. `Kept` is what else it can attend to: storages of caches, of
// which the first is that of an any_cache where none is named, and an engine's own pages, paged<K, V> or prepared_keys<paged<K, V>>, whose
// keys prepare_keys turns. Where nothing is named, caches of S; none for skip_negligible, nor for sums whose summands turn keys
// differently, such as rerope. Include this header in the units that make sentences, few, since each sentence compiles for seconds:
// forward, backward and each of Kept.
//
//   longspan::any_mechanism<float> mechanism_of(const configuration& c) {
//     if (c.slopes) return longspan::make_any<float>(dot_product{} | alibi{} | causal{});
//     return longspan::make_any<float>(rope{.base = c.base} | dot_product{} | causal{});
//   }
template <class S, class... Kept, class... Parts>
any_mechanism<S> make_any(mechanism<Parts...> whole) {
  return any_mechanism<S>(detail::make_sentence<S, true, Kept...>(std::move(whole)));
}

// The same without gradients, which take 3 of 19 s of a sentence to compile (g++ 12, -O2), more where it has learned numbers: backward
// throws std::invalid_argument.
template <class S, class... Kept, class... Parts>
any_mechanism<S> make_any_for_inference(mechanism<Parts...> whole) {
  return any_mechanism<S>(detail::make_sentence<S, false, Kept...>(std::move(whole)));
}

LONGSPAN_NAMESPACE_END

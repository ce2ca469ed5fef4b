#pragma once

#include <longspan/core/shapes.hpp>
#include <longspan/tensor/traits.hpp>

LONGSPAN_NAMESPACE_BEGIN

// What the backward pass makes: the gradients of the queries, the keys and the values, each of the shape of what it belongs to.
template <class Query, class Key, class Value>
struct gradients {
  Query d_query;
  Key d_key;
  Value d_value;
};
template <class Query, class Key, class Value>
gradients(Query, Key, Value) -> gradients<Query, Key, Value>;

// The same, and the gradients of the learned numbers: a mechanism whose learned numbers are their own gradients.
template <class Query, class Key, class Value, class Mechanism>
struct gradients_with_parameters {
  Query d_query;
  Key d_key;
  Value d_value;
  Mechanism d_mechanism;
};
template <class Query, class Key, class Value, class Mechanism>
gradients_with_parameters(Query, Key, Value, Mechanism) -> gradients_with_parameters<Query, Key, Value, Mechanism>;

namespace detail {

// A new tensor of the kind, the shape and the storage of another.
template <class X>
auto make_like(const X& tensor) {
  const auto [batch, heads, tokens, channels] = detail::view_of(tensor).extent;
  return traits_of<X>::template make_output<element_of<X>>(
      {.batch = batch, .heads = heads, .queries = tokens, .value_channels = channels});
}

// New gradients of inputs that were found to fit each other.
template <class Q, class K, class V>
auto make_gradients(const Q& q, const K& k, const V& v) {
  return gradients{detail::make_like(q), detail::make_like(k), detail::make_like(v)};
}

}  // namespace detail

LONGSPAN_NAMESPACE_END

#pragma once

#include <concepts>
#include <span>

#include <longspan/core/config.hpp>

LONGSPAN_NAMESPACE_BEGIN

// How a query and a key give a logit: the dot product of rows that the score has prepared. `query(row)` and `key(row)` change the
// channels of one token in place, after the row parts. They are called with rows of float and of double, which the
// reference and tensors of double have.
//
// For the backward pass `query_back(row, gradient)` and `key_back(row, gradient)` replace the gradient with respect to the
// prepared row by that with respect to `row`, the row before it was prepared.
//
// Optional members: `double factor(const shapes&) const` multiplies the dot product; `static constexpr bool keeps_keys = true`
// says that `key` does nothing, so that the kernel may read keys from the tensor (a score that inherits it and has a `key` of its
// own says false).
template <class S>
concept score = std::copy_constructible<S> && requires(const S& s, std::span<float> row, std::span<double> exact) {
  s.query(row), s.query(exact);
  s.key(row), s.key(exact);
};

LONGSPAN_NAMESPACE_END

#pragma once

#include <concepts>
#include <span>

#include <longspan/core/config.hpp>

LONGSPAN_NAMESPACE_BEGIN

// A score is a dot product of prepared rows: `query(row)` and `key(row)` prepare the channels of one token in place, after the row
// parts. The score of a query and a key is then the sum over channels of their products.
//
// `query_back(row, gradient)` and `key_back(row, gradient)` are their transposes, for the backward pass: they take the gradient of the
// prepared row, in place, to that of the row.
//
// Optional members: `double factor(const shapes&) const` multiplies that sum; `static constexpr bool keeps_keys = true` says that
// `key` does nothing, so that keys may be read where they lie (a score that inherits it with a `key` of its own says false).
template <class S>
concept score = std::copy_constructible<S> && requires(const S& s, std::span<float> row, std::span<double> exact) {
  s.query(row), s.query(exact);
  s.key(row), s.key(exact);
};

LONGSPAN_NAMESPACE_END

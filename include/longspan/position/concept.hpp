#pragma once

#include <concepts>
#include <span>

#include <longspan/core/index.hpp>
#include <longspan/position/ladder.hpp>

LONGSPAN_NAMESPACE_BEGIN

// A part that changes the rows of queries and keys before their dot product, in place: `turn(row, position)` is given the
// channels of one token of one head and the token's position. It is called with rows of float and of double, which
// the reference and tensors of double have. For the backward pass `turn_back(row, gradient, position)` replaces the gradient with respect to the turned row by
// that with respect to `row`, the row before it was turned.
template <class P>
concept row_part =
    std::copy_constructible<P> && requires(const P& part, std::span<float> row, std::span<double> exact, index_t position) {
      part.turn(row, position);
      part.turn(exact, position);
    };

// A part that rotates pairs of channels by position times frequency. It only says its frequencies: position/angle_table.hpp turns
// the rows, and back.
template <class P>
concept rotation = std::copy_constructible<P> && requires(const P& part, index_t channels) {
  { part.frequencies(channels) } -> std::same_as<ladder>;
};

LONGSPAN_NAMESPACE_END

#pragma once

#include <concepts>
#include <span>

#include <longspan/core/index.hpp>
#include <longspan/position/ladder.hpp>

LONGSPAN_NAMESPACE_BEGIN

// A part that works on the rows of queries and keys before they meet, in place: `turn(row, position)` with the channels of one token
// of one head and the token's absolute position. It runs on float and on double rows (the kernel's and the reference's). For the
// backward pass `turn_back(row, gradient, position)` takes the gradient of the turned row, in place, to that of the row as it was.
template <class P>
concept row_part =
    std::copy_constructible<P> && requires(const P& part, std::span<float> row, std::span<double> exact, index_t position) {
      part.turn(row, position);
      part.turn(exact, position);
    };

// A row part that rotates pairs of channels by position times frequency. It only says its frequencies; the turning, its exact tables
// and its inverse are shared.
template <class P>
concept rotation = std::copy_constructible<P> && requires(const P& part, index_t channels) {
  { part.frequencies(channels) } -> std::same_as<ladder>;
};

LONGSPAN_NAMESPACE_END

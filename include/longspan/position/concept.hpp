#pragma once

#include <concepts>
#include <span>

#include <longspan/core/index.hpp>
#include <longspan/core/token.hpp>
#include <longspan/position/ladder.hpp>

LONGSPAN_NAMESPACE_BEGIN

namespace detail {

// A part that is told the place of a token, or all that is known of it.
template <class P, class T, class Told>
concept turned_by = requires(const P& part, std::span<T> row, const Told& told) { part.turn(row, told); };
template <class P, class T, class Told>
concept turned_back_by = requires(const P& part, std::span<const T> row, std::span<T> gradient, const Told& told) {
  part.turn_back(row, gradient, told);
};

template <class P, class T>
concept turns_rows = turned_by<P, T, index_t> || turned_by<P, T, token>;
template <class P, class T>
concept learns_from_rows = requires(const P& part, std::span<const T> row, std::span<T> gradient, const token& of,
                                    std::span<double> sums) { part.turn_back(row, gradient, of, sums); };
template <class P, class T>
concept turns_rows_back = turned_back_by<P, T, index_t> || turned_back_by<P, T, token> || learns_from_rows<P, T>;

}  // namespace detail

// A part that changes the rows of queries and keys before their dot product, in place: `turn(row, position)` is given the channels of one
// token of one head, a std::span, and the token's place in its text. `turn(row, const token& of)` instead is told whether the row is a
// query or a key, and its head and text besides (core/token.hpp). It is called with rows of float and of double, which the reference and
// tensors of double have. For the backward pass `turn_back(row, gradient, position)`, or with a token, replaces the gradient with respect
// to the turned row by that with respect to `row`, the row before it was turned.
//
// A part learns vectors over the channels as fields of type per_channel, which it names: `auto parameters() { return std::tie(gain); }`. It
// has turn_back(row, gradient, const token& of, std::span<double> sums): `sums` has a number for each channel of the first of them, then of
// the second and so on, to which it adds the derivatives by them; where they are not asked for it is empty.
template <class P>
concept row_part = std::copy_constructible<P> && detail::turns_rows<P, float> && detail::turns_rows<P, double>;

// A part that rotates pairs of channels by position times frequency. It only says its frequencies: position/angle_table.hpp turns
// the rows, and back.
template <class P>
concept rotation = std::copy_constructible<P> && requires(const P& part, index_t channels) {
  { part.frequencies(channels) } -> std::same_as<ladder>;
};

namespace detail {

// Tells a part what it takes.
template <class P, class T>
void turn(const P& part, std::span<T> row, const token& of) {
  if constexpr (turned_by<P, T, index_t>)
    part.turn(row, of.place);
  else
    part.turn(row, of);
}
template <class P, class T>
void turn_back(const P& part, std::span<const T> row, std::span<T> gradient, const token& of, std::span<double> sums = {}) {
  if constexpr (learns_from_rows<P, T>)
    part.turn_back(row, gradient, of, sums);
  else if constexpr (turned_back_by<P, T, index_t>)
    part.turn_back(row, gradient, of.place);
  else
    part.turn_back(row, gradient, of);
}

}  // namespace detail

LONGSPAN_NAMESPACE_END

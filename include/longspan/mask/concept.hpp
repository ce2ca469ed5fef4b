#pragma once

#include <array>
#include <concepts>
#include <cstddef>
#include <type_traits>

#include <longspan/core/interval.hpp>
#include <longspan/core/key_set.hpp>
#include <longspan/core/query_row.hpp>

LONGSPAN_NAMESPACE_BEGIN

namespace detail {

// A mask's answer as a set of keys.
template <key_set Keys>
constexpr const Keys& as_key_set(const Keys& keys) {
  return keys;
}
template <std::size_t N>
  requires(N > 0)
constexpr any_of<N> as_key_set(const std::array<interval, N>& runs) {
  return {runs};
}

// Intervals may reach beyond the keys that exist and are cut; other sets are not: see mask.
template <key_set Keys>
constexpr const Keys& cut(const Keys& keys, interval) {
  return keys;
}
constexpr interval cut(interval keys, interval all) { return intersect(keys, all); }
template <std::size_t N>
constexpr any_of<N> cut(const any_of<N>& few, interval all) {
  return intersect(few, all);
}

}  // namespace detail

// A mask maps a query row to the keys it sees, by position in the text. It answers with
//   an interval;
//   a std::array of a few, in any order, which may overlap;
//   or any key_set (core/key_set.hpp): an object with hull(), bits(key) and count(), so that what a row sees may be data.
// Intervals need not end where the keys do; another set holds keys from 0 to row.keys - 1 only. The mask may read every field of the
// row but `seen`, which its own answer decides.
//
//   struct sentence {                                       // a row sees its own sentence up to itself
//     index_t length;
//     interval operator()(const query_row& row) const { return {row.position / length * length, row.position + 1}; }
//   };
//
// It is asked once for each row of a call, on the calling thread, before the kernel runs; from the answers the kernel learns which tiles
// exist and which lanes to cut. A mask that reads nothing but row.position and row.keys says so with
// `static constexpr bool by_position_alone = true;` and is asked once for each position: its answers serve all heads and texts. What an
// answer refers to must live as long as the mask that is part of the mechanism.
template <class M>
concept mask = std::copy_constructible<M> && requires(const M& m, const query_row& row) { detail::as_key_set(m(row)); };

namespace detail {

// What a mask lets a row see of the keys that exist.
template <mask M>
auto visible(const M& m, const query_row& row) {
  return detail::cut(detail::as_key_set(m(row)), interval{0, row.keys});
}

template <mask M>
inline constexpr bool by_position_alone = false;
template <mask M>
  requires requires { M::by_position_alone; }
inline constexpr bool by_position_alone<M> = M::by_position_alone;

}  // namespace detail

LONGSPAN_NAMESPACE_END

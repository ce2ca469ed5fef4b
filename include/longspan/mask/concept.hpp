#pragma once

#include <array>
#include <concepts>
#include <cstddef>
#include <memory>
#include <type_traits>

#include <longspan/core/interval.hpp>
#include <longspan/core/key_set.hpp>
#include <longspan/core/query_row.hpp>
#include <longspan/core/shapes.hpp>
#include <longspan/tile/kept_blocks.hpp>

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

template <class M>
concept answers_rows = requires(const M& m, const query_row& row) { detail::as_key_set(m(row)); };
template <class M>
concept prepares_answers = requires(const M& m, const shapes& call) {
  { m.prepare(call) } -> answers_rows;
};

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
// `static constexpr bool by_position_alone = true;` and is asked once for each position: its answers serve all heads, and texts that
// follow each other and have the same lengths. What an answer refers to must live as long as the mask that is part of the mechanism.
//
// Optional members: `void check(const shapes&) const` throws std::invalid_argument for a parameter out of range; `prepare(const shapes&)`
// makes, once per call, what is asked instead of the mask, which then needs no operator() of its own. Answers may refer to what was made:
// it stays at one address as long as they are used. boolean_mask is packed so.
//
// `later(index_t position)` answers, as for a row, with keys that rows at a position and beyond may see, whatever the length: a cache
// (cache/kv_cache.hpp) gives back what none of them may. Of a mask without it they may see all.
//
// How long the texts of a batch are belongs in placement, not in a mask that cuts by row.batch. A mask only hides keys: queries still stand
// at the end of the longest text, so rotations, distances and causal masks of the shorter ones count from the wrong place. placement gives
// each text its own positions, alignment and n, and what lies beyond its end is not read.
template <class M>
concept mask = std::copy_constructible<M> && (detail::answers_rows<M> || detail::prepares_answers<M>);

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

// What is called as a mask but answers with something else: with bool for a row, or for each key, or with a vector.
template <class M>
concept answers_otherwise =
    !mask<M> && (requires(const M& m, const query_row& row) { { m(row) } -> std::same_as<bool>; } ||
                 requires(const M& m, const query_row& row) { m(row).begin(), m(row).end(); } ||
                 (requires { &M::operator(); } &&  // to see what a generic lambda returns its body would be compiled
                  requires(const M& m, const query_row& row, index_t key) { { m(row, key) } -> std::same_as<bool>; }));

// What a mask prepared for a call, as a mask: kept as long as anyone asks it or has its answers.
template <answers_rows Asked>
struct prepared_mask {
  static constexpr bool by_position_alone = detail::by_position_alone<Asked>;
  std::shared_ptr<const Asked> asked;

  decltype(auto) operator()(const query_row& row) const { return (*asked)(row); }
};

// The mask that is asked during a call: what it prepares, or the mask itself, by reference.
template <mask M>
const M& prepared(const M& m, const shapes&) {
  return m;
}
template <prepares_answers M>
  requires mask<M>
auto prepared(const M& m, const shapes& call) {
  using asked = decltype(m.prepare(call));
  return prepared_mask<asked>{std::allocate_shared<asked>(recycled<asked>(), m.prepare(call))};
}

}  // namespace detail

LONGSPAN_NAMESPACE_END

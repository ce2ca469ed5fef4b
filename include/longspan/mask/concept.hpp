#pragma once

#include <array>
#include <concepts>
#include <type_traits>

#include <longspan/core/interval.hpp>
#include <longspan/core/query_row.hpp>

LONGSPAN_NAMESPACE_BEGIN

template <class Answer>
struct is_intervals : std::false_type {};
template <std::size_t N>
struct is_intervals<std::array<interval, N>> : std::bool_constant<(N > 0)> {};

// A mask maps a query row to the keys it sees: one interval of positions, or a std::array of a few. It may read every field of the row
// but `seen`, which its own answer decides, and need not clip to the keys that exist. It is asked once per row, from several threads:
// answer alike for the same row. From this one answer the kernel learns which tiles exist and which lanes to cut.
//
//   struct sentence {                                       // a row sees its own sentence up to itself
//     index_t length;
//     interval operator()(const query_row& row) const { return {row.position / length * length, row.position + 1}; }
//   };
template <class M>
concept mask = std::copy_constructible<M> && requires(const M& m, const query_row& row) {
  requires std::same_as<std::remove_cvref_t<decltype(m(row))>, interval> ||
               is_intervals<std::remove_cvref_t<decltype(m(row))>>::value;
};

// What a mask lets a row see, clipped to the keys that exist, in order, none twice.
template <mask M>
auto visible(const M& m, const query_row& row) {
  const interval all{0, row.keys};
  if constexpr (std::same_as<std::remove_cvref_t<decltype(m(row))>, interval>)
    return intervals<1>{intersect(m(row), all)};
  else
    return disjoint(intersect(m(row), all));
}

LONGSPAN_NAMESPACE_END

#pragma once

#include <concepts>
#include <cstddef>
#include <tuple>
#include <type_traits>
#include <utility>

#include <longspan/core/shape_error.hpp>
#include <longspan/core/shapes.hpp>
#include <longspan/mechanism.hpp>
#include <longspan/mechanism/bind.hpp>
#include <longspan/mechanism/prepare.hpp>
#include <longspan/position/concept.hpp>
#include <longspan/position/mapped_rotation.hpp>

LONGSPAN_NAMESPACE_BEGIN
namespace detail {

// Whether two parts of one type turn rows alike, as far as they can be compared.
template <class P>
bool turn_alike(const P& one, const P& other, const shapes& lengths) {
  if constexpr (std::equality_comparable<P>)
    return one == other;
  else if constexpr (rotation<P>)
    return one.frequencies(lengths.channels) == other.frequencies(lengths.channels);
  else
    return true;
}

// What turns keys of a row part or score: of a rotation with a map for queries and one for keys, all but the former.
template <class Rotation, class KeyMap>
struct rotation_of_keys {
  Rotation turned;
  KeyMap map;
  bool operator==(const rotation_of_keys&) const = default;
};
template <class P>
P side_of_keys(const P& part) {
  return part;
}
template <class Rotation, class QueryMap, class KeyMap>
  requires(!mapped_rotation<Rotation, QueryMap, KeyMap>::one_map)
auto side_of_keys(const mapped_rotation<Rotation, QueryMap, KeyMap>& part) {
  if constexpr (std::same_as<KeyMap, own_place>)
    return part.rotation;
  else
    return rotation_of_keys<Rotation, KeyMap>{part.rotation, part.key_map};
}
inline constexpr auto side_of_keys_of = [](const auto& part) { return detail::side_of_keys(part); };

// What turns the keys of a summand, as a tuple; and whether all summands have the same, as far as types tell. One sentence has.
template <class Summand>
using turns_of = decltype(detail::pick<place::rows, place::score>(std::declval<const Summand&>(), side_of_keys_of));
template <class Mechanism>
inline constexpr bool keys_turn_alike = true;
template <class First, class... More>
  requires is_sum<First, More...>
inline constexpr bool keys_turn_alike<mechanism<First, More...>> = (std::is_same_v<turns_of<First>, turns_of<More>> && ...);

// The first summand of a sum, whose keys are all prepared alike; a sentence itself. Throws shape_error where they are not. The tables of a
// prepared sentence do not tell: what it was made from does.
template <class... Parts>
const auto& summand_of_keys(const mechanism<Parts...>& whole, const shapes& lengths) {
  if constexpr (is_sum<Parts...>) {
    const auto& said = detail::unprepared(whole);
    const auto turns = std::apply(
        [](const auto&... each) { return std::tuple{detail::pick<place::rows, place::score>(each, side_of_keys_of)...}; },
        said.parts);
    using first = std::remove_const_t<std::tuple_element_t<0, decltype(turns)>>;
    static_assert(
        keys_turn_alike<std::remove_cvref_t<decltype(said)>>,
        "keys that are kept are prepared once: the summands of a sum over them have the same score, and row parts that turn "
        "keys alike. Where near and far keys turn otherwise (ReRoPE), keep two caches, and merge what forward makes of each "
        "summand over its own, unless a part depends on the number of keys: each call counts its own alone");
    const auto alike = [&]<std::size_t... N>(const first& other, std::index_sequence<N...>) {
      return (detail::turn_alike(std::get<N>(std::get<0>(turns)), std::get<N>(other), lengths) && ...);
    };
    const auto all = [&](const auto&... each) {
      return (alike(each, std::make_index_sequence<std::tuple_size_v<first>>{}) && ...);
    };
    if (!std::apply(all, turns))
      throw shape_error("keys that are kept are prepared once, and the summands of the sum turn them differently");
    return std::get<0>(whole.parts);
  } else {
    return whole;
  }
}

}  // namespace detail
LONGSPAN_NAMESPACE_END

#pragma once

#include <concepts>
#include <memory>
#include <span>
#include <stdexcept>
#include <utility>

#include <longspan/core/require.hpp>
#include <longspan/core/shapes.hpp>
#include <longspan/core/text.hpp>
#include <longspan/core/token.hpp>
#include <longspan/position/angle_table.hpp>
#include <longspan/position/rotate.hpp>
#include <longspan/tile/buffer.hpp>
#include <longspan/tile/kept_blocks.hpp>

LONGSPAN_NAMESPACE_BEGIN
namespace detail {

template <class Map>
concept maps_place = requires(const Map& map, index_t place) {
  { map(place) } -> std::convertible_to<double>;
};
template <class Map>
concept maps_text_and_place = requires(const Map& map, index_t text, index_t place) {
  { map(text, place) } -> std::convertible_to<double>;
};
template <class Map>
concept maps_token = requires(const Map& map, const token& of) {
  { map(of) } -> std::convertible_to<double>;
};

// The position of a token, as a map of any of the three kinds has it. Heads share their tables, so no map is told a head.
template <class Map>
double mapped_position(const Map& map, token of) {
  of.head = 0;
  double position = 0;
  if constexpr (maps_place<Map>)
    position = static_cast<double>(map(of.place));
  else if constexpr (maps_text_and_place<Map>)
    position = static_cast<double>(map(of.text, of.place));
  else
    position = static_cast<double>(map(of));
  require_finite("a rotation's at: a position that the map returns", position);
  return position;
}

// In the place of the map of the keys: that of the queries.
struct the_same_map {
  bool operator==(const the_same_map&) const = default;
};

// The map to the places themselves, for the keys of a rotation whose queries turn elsewhere.
struct own_place {
  index_t operator()(index_t place) const { return place; }
  bool operator==(const own_place&) const = default;
};

template <class T, class Part>
class mapped_angles;

// A map that is left out. For one that cannot be, as it holds a tensor, clang looks at the initialiser all the same.
template <class Map>
Map left_out() {
  if constexpr (std::default_initializable<Map>)
    return Map();
  else
    throw std::logic_error("a map is left out that cannot be");
}

}  // namespace detail

// A rotation whose rows turn by the position that a map has for their place, instead of by the place itself: what rope{}.at(map) and
// rope{}.at(query_map, key_map) make, for every rotation of the library; for one of your own write mapped_rotation{own{}, map}. Masks and
// distances go on counting places. A map is map(place), map(text, place) for texts that differ, or map(const token&), which core/token.hpp
// describes and whose head is 0: heads turn alike. It returns an integer or a fraction, and is asked once a call for each token; where it
// looks at places alone, for each from the first to the last of all texts, which are negative where queries begin before the keys.
// Positions from a tensor: position/positions.hpp. Throws std::invalid_argument for a position that is not finite.
//
//   rope{}.at([](index_t place) { return double(place) / 4; })                                 a text read four times as densely
//   rope{}.at([](index_t) { return 4096; }, [](index_t place) { return std::min<index_t>(place, 4096); })   queries at one position
template <class Rotation, class QueryMap, class KeyMap = detail::the_same_map>
struct mapped_rotation {
  Rotation rotation;
  QueryMap query_map;
  KeyMap key_map = detail::left_out<KeyMap>();

  static constexpr bool one_map = std::same_as<KeyMap, detail::the_same_map>;
  template <class Map>
  static constexpr bool is_map = detail::maps_place<Map> || detail::maps_text_and_place<Map> || detail::maps_token<Map>;
  static_assert(is_map<QueryMap> && (one_map || is_map<KeyMap>),
                "a rotation's at(map): the map takes a place, a text and a place, or a const token&, and returns a number");

  double position(const token& of) const {
    if constexpr (!one_map)
      if (!of.is_query()) return detail::mapped_position(key_map, of);
    return detail::mapped_position(query_map, of);
  }

  // Where its rotation and its maps can be compared.
  bool operator==(const mapped_rotation&) const = default;

  // By the definition.
  template <class T>
  void turn(std::span<T> row, const token& of) const {
    definition(index_t(row.size())).turn(row, position(of));
  }
  template <class T>
  void turn_back(std::span<const T> row, std::span<T> gradient, const token& of) const {
    definition(index_t(row.size())).turn_back(row, gradient, position(of));
  }

  // The same from tables, for the kernel.
  template <class T>
  auto prepare(const shapes& lengths, std::span<const detail::text> texts) const {
    return detail::mapped_angles<T, mapped_rotation>(*this, lengths, texts);
  }

  void for_each_tensor(auto visit) const
    requires(
        requires { query_map.for_each_tensor(visit); } || requires { key_map.for_each_tensor(visit); })
  {
    if constexpr (requires { query_map.for_each_tensor(visit); }) query_map.for_each_tensor(visit);
    if constexpr (requires { key_map.for_each_tensor(visit); }) key_map.for_each_tensor(visit);
  }

  void check(const shapes& lengths) const {
    if constexpr (requires { rotation.check(lengths); }) rotation.check(lengths);
    if constexpr (requires { query_map.check(lengths); }) query_map.check(lengths);
    if constexpr (requires { key_map.check(lengths); }) key_map.check(lengths);
    detail::require_pairs(index_t(rotation.frequencies(lengths.channels).frequencies.size()), lengths.channels);
  }

 private:
  detail::rotation_by_definition definition(index_t channels) const { return {rotation.frequencies(channels)}; }
};
template <class Rotation, class QueryMap>
mapped_rotation(Rotation, QueryMap) -> mapped_rotation<Rotation, QueryMap>;
template <class Rotation, class QueryMap, class KeyMap>
mapped_rotation(Rotation, QueryMap, KeyMap) -> mapped_rotation<Rotation, QueryMap, KeyMap>;

namespace detail {

// The angles of a mapped rotation: one table for all texts where the maps look at nothing but the place, else one for each; and one for
// queries and keys where they share a map.
template <class T, class Part>
class mapped_angles {
 public:
  mapped_angles(const Part& part, const shapes& lengths, std::span<const text> texts) {
    auto tables = std::allocate_shared<buffer<angle_table<T>>>(recycled<T>());
    angles each(part.rotation.frequencies(lengths.channels));
    const places_of_texts all(texts);
    for (const text& text : texts) {
      if (alike && !tables->empty()) break;
      const interval queries = alike ? all.queries : text.query_places(), keys = alike ? all.keys : text.key_places();
      const auto position_of = [&](token::role as) {
        return [&, as](index_t place) { return part.position(text.at(as, place)); };
      };
      tables->emplace_back(each, queries, Part::one_map ? keys : interval{}, position_of(token::role::query));
      if constexpr (!Part::one_map) tables->emplace_back(each, interval{}, keys, position_of(token::role::key));
    }
    tables_ = std::move(tables);
  }

  void turn(std::span<T> row, const token& of) const { table(of).turn(row, of.place); }
  void turn_back(std::span<const T> row, std::span<T> gradient, const token& of) const {
    table(of).turn_back(row, gradient, of.place);
  }

 private:
  static constexpr bool alike = maps_place<decltype(Part::query_map)> && (Part::one_map || maps_place<decltype(Part::key_map)>);

  const angle_table<T>& table(const token& of) const {
    const index_t text = alike ? 0 : of.text;
    return (*tables_)[std::size_t(Part::one_map ? text : 2 * text + !of.is_query())];
  }

  std::shared_ptr<const buffer<angle_table<T>>> tables_;  // each text has a copy of this
};

}  // namespace detail

LONGSPAN_NAMESPACE_END

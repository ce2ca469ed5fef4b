#pragma once

#include <algorithm>
#include <concepts>
#include <span>
#include <string>
#include <type_traits>
#include <utility>

#include <longspan/core/interval.hpp>
#include <longspan/core/shape_error.hpp>
#include <longspan/core/shapes.hpp>
#include <longspan/core/text.hpp>
#include <longspan/core/token.hpp>
#include <longspan/mechanism.hpp>
#include <longspan/mechanism/bind.hpp>
#include <longspan/position/angle_table.hpp>
#include <longspan/position/rotate.hpp>
#include <longspan/tile/shape.hpp>
#include <longspan/transform/reach.hpp>

LONGSPAN_NAMESPACE_BEGIN
namespace detail {

inline std::string as_text(interval of) { return std::to_string(of.first) + " to " + std::to_string(of.last); }

// Throws shape_error where a call asks for more than was prepared.
inline void require_within(const char* what, interval asked, interval prepared) {
  if (!asked.empty() && (asked.first < prepared.first || asked.last > prepared.last))
    throw shape_error(std::string("prepare: the sentence was prepared for ") + what + " from " + as_text(prepared) +
                      ", and the call has " + as_text(asked));
}

// A rotation and its cosines and sines in T at the places from 0 on.
template <rotation P, class T>
class ready_rotation {
 public:
  ready_rotation(const P& part, index_t channels, index_t places)
      : part_(part), channels_(channels), places_{0, places}, table_(part.frequencies(channels), {}, places_) {}

  template <class U>
  void turn(std::span<U> row, const token& of) const {
    rotation_by_definition{part_.frequencies(index_t(row.size()))}.turn(row, of.place);
  }
  template <class U>
  void turn_back(std::span<const U> row, std::span<U> gradient, const token& of) const {
    rotation_by_definition{part_.frequencies(index_t(row.size()))}.turn_back(row, gradient, of.place);
  }
  template <class U>
  const angle_table<T>& prepare(const shapes& lengths, std::span<const text> texts) const {
    static_assert(std::same_as<U, T>, "a sentence for tensors of double is prepared by prepare<double>(mechanism, longest)");
    const places_of_texts places(texts);
    require_equal("query", "prepared sentence", "channels", lengths.channels, channels_);
    require_within("places", hull(places.queries, places.keys), places_);
    return table_;
  }
  const P& unprepared() const { return part_; }

 private:
  P part_;
  index_t channels_;
  interval places_;
  angle_table<T> table_;
};

// A transform and its table by distance in T.
template <class P, class T>
class ready_transform : public P {
  using table_of = decltype(std::declval<const P&>().template prepare<T>(reach{}));

 public:
  ready_transform(const P& part, const reach& distances)
      : P(part), distances_(distances), table_(part.template prepare<T>(distances)) {}

  template <class U>
  const table_of& prepare(const reach& distances) const {
    static_assert(std::same_as<U, T>, "a sentence for tensors of double is prepared by prepare<double>(mechanism, longest)");
    require_within("distances", distances.seen, distances_.seen);
    require_within("distances in tiles", distances.touched, distances_.touched);
    if constexpr (requires { table_.heads(); }) require_within("heads", {0, distances.heads}, {0, table_.heads()});
    return table_;
  }
  const P& unprepared() const { return *this; }
  void parameters() const = delete;  // the table was made of their values: gradients by them are those of the sentence itself

 private:
  reach distances_;
  table_of table_;
};

template <class P>
inline constexpr bool is_ready = requires(const P& part) { part.unprepared(); };
template <class... Parts>
inline constexpr bool is_ready<mechanism<Parts...>> = (is_ready<Parts> || ...);

// The sentence that was prepared, for who has tables of his own; itself where it was not.
template <class... Parts>
decltype(auto) unprepared(const mechanism<Parts...>& whole) {
  if constexpr (!is_ready<mechanism<Parts...>>)
    return (whole);
  else
    return detail::remade(whole, []<class P>(const P& part) {
      if constexpr (is_mechanism<P>)
        return detail::unprepared(part);
      else if constexpr (is_ready<P>)
        return part.unprepared();
      else
        return part;
    });
}

// See prepare.
template <class T, class... Parts>
auto prepare_sentence(const mechanism<Parts...>& whole, shapes longest) {
  longest.batch = 1;
  longest.heads = std::max<index_t>(longest.heads, 1), longest.key_heads = std::max<index_t>(longest.key_heads, 1);
  longest.value_channels = std::max<index_t>(longest.value_channels, 1);
  longest.all_keys = std::max(longest.all_keys, longest.first_key + longest.keys);
  if (longest.queries == 0) longest.queries = longest.all_keys, longest.first_query = 0;
  const detail::text of{0, 0, {0, longest.queries}, {0, longest.keys}, longest.first_query, longest.first_key, longest.all_keys};
  const std::span texts(&of, 1);
  reach distances;
  if constexpr ((detail::tabulated<Parts, T> || ...))
    distances = detail::see(whole, longest, texts)[0]->distances(detail::tile_shape<T>::key_rows(1));
  return detail::remade(whole, [&]<class P>(const P& part) {
    if constexpr (rotation<P> || detail::tabulated<P, T>) detail::check_part(part, longest, texts);
    if constexpr (rotation<P>)
      return detail::ready_rotation<P, T>(part, longest.channels, std::max(longest.all_keys, longest.query_positions().last));
    else if constexpr (detail::tabulated<P, T>)
      return detail::ready_transform<P, T>(part, distances);
    else
      return part;
  });
}
template <class T, class... Summands>
  requires is_sum<Summands...>
auto prepare_sentence(const mechanism<Summands...>& whole, shapes longest) {
  return detail::remade(whole, [&](const auto& summand) { return detail::prepare_sentence<T>(summand, longest); });
}

}  // namespace detail

// A sentence whose tables by position and by distance were made, for calls of up to `longest`: its keys (from place 0 on), channels, heads
// where a table has numbers for each, and, where they are not those of its keys, queries and first_query. It stands wherever a sentence
// does, at every layer and token, with the same bits (over a cache, which keeps tables of its own, it is the sentence), and then calls that
// are decoded allocate nothing from the second on. Of a sum, each summand's tables are made. T is the type that computes, double for
// tensors of double. Learned numbers have the values of now, and no gradients. Throws shape_error for calls beyond, and what the parts
// throw.
//
//   const auto ready = prepare(mechanism, {.keys = 32768, .channels = 128});
//   forward_into(ready, q, k, v, output);
template <class T = float, class... Parts>
auto prepare(const mechanism<Parts...>& whole, shapes longest) {
  return detail::prepare_sentence<T>(whole, longest);
}

LONGSPAN_NAMESPACE_END

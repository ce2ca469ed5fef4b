#pragma once

#include <tuple>
#include <type_traits>

#include <longspan/core/require.hpp>
#include <longspan/core/shapes.hpp>
#include <longspan/mechanism.hpp>
#include <longspan/mechanism/bound.hpp>
#include <longspan/mechanism/parameters.hpp>
#include <longspan/position/angle_table.hpp>
#include <longspan/position/rotate.hpp>
#include <longspan/transform/reach.hpp>

LONGSPAN_NAMESPACE_BEGIN

// The parts of one kind, each as `prepare` gives it.
template <class IsKind, class Prepare, class... Parts>
auto pick(const mechanism<Parts...>& whole, IsKind is_kind, Prepare prepare) {
  const auto one = [&]<class P>(const P& part) {
    if constexpr (decltype(is_kind.template operator()<P>())::value)
      return std::tuple{prepare(part)};
    else
      return std::tuple{};
  };
  return std::apply([&](const Parts&... each) { return std::tuple_cat(one(each)...); }, whole.parts);
}

inline constexpr auto unchanged = [](const auto& part) { return part; };
inline constexpr auto rows_kind = []<class P>() { return std::bool_constant<is_rows<P>>{}; };
inline constexpr auto score_kind = []<class P>() { return std::bool_constant<is_score<P>>{}; };
inline constexpr auto transform_kind = []<class P>() { return std::bool_constant<is_transform<P>>{}; };
inline constexpr auto mask_kind = []<class P>() { return std::bool_constant<is_mask<P>>{}; };
inline constexpr auto sink_kind = []<class P>() { return std::bool_constant<is_sink<P>>{}; };

template <class... Parts>
void check(const mechanism<Parts...>& whole, const shapes& call) {
  static_assert((0 + ... + is_score<Parts>) == 1,
                "a mechanism needs a score: dot_product{} or cosine{}, before its transforms and mask");
  static_assert((0 + ... + is_mask<Parts>) >= 1,
                "a mechanism ends with a mask that says what a row sees: causal{}, everything{} ...");
  const auto one = [&](const auto& part) {
    if constexpr (requires { part.check(call); }) part.check(call);
    // Nothing is written through the references, and a copy would allocate.
    std::apply([&](const auto&... number) { (check(number, call.heads), ...); },
               parameters_of(const_cast<std::remove_cvref_t<decltype(part)>&>(part)));
    if constexpr (rotation<std::remove_cvref_t<decltype(part)>>) {
      const auto pairs = index_t(part.frequencies(call.channels).frequencies.size());
      require(2 * pairs <= call.channels, "rotation: frequencies", "at most one for each pair of channels", pairs);
    }
  };
  std::apply([&](const Parts&... each) { (one(each), ...); }, whole.parts);
}

template <class Rows, class Transforms, class... Parts>
auto assemble(const mechanism<Parts...>& whole, const shapes& call, Rows rows, Transforms transforms) {
  auto score = pick(whole, score_kind, unchanged);
  auto masks = pick(whole, mask_kind, unchanged);
  auto sinks = pick(whole, sink_kind, unchanged);
  return bound<Rows, decltype(score), Transforms, decltype(masks), decltype(sinks)>{call, rows, score, transforms, masks, sinks};
}

// The parts themselves, for the reference: rotations by their definition, functions of the distance asked lane by lane.
template <class... Parts>
auto bind_definition(const mechanism<Parts...>& whole, const shapes& call) {
  check(whole, call);
  const auto definition = [&]<class P>(const P& part) {
    if constexpr (rotation<P>)
      return rotation_by_definition{part.frequencies(call.channels)};
    else
      return part;
  };
  return assemble(whole, call, pick(whole, rows_kind, definition), pick(whole, transform_kind, unchanged));
}

// The distances that some row of the call sees among the keys of the call, and those that its tiles touch beside them.
template <class Bound>
reach reach_of(const Bound& mechanism, index_t padding) {
  const shapes& call = mechanism.call;
  interval seen;
  for (index_t b = 0; b < call.batch; ++b)
    for (index_t h = 0; h < call.heads; ++h)
      for (index_t i = 0; i < call.queries; ++i) {
        const query_row row = mechanism.row(b, h, i);
        const interval keys = hull(intersect(mechanism.visible(row), call.key_positions()));
        if (!keys.empty()) seen = hull(seen, {row.position - keys.last + 1, row.position - keys.first + 1});
      }
  return {seen, {call.first_query - call.first_key - call.keys - padding, call.first_query + call.queries - call.first_key}};
}

// A transform that the kernel replaces by a table of the distances at hand.
template <class P, class T>
concept tabulated = requires(const P& part, const reach& distances) { part.template prepare<T>(distances); };

// The transforms of one call with the tables of the distances at hand, made once for all its heads, for logits of T. `padding` is how
// many keys beyond the last a tile may touch.
template <class T, class Rows, class... Parts>
auto bind_transforms(const mechanism<Parts...>& whole, const shapes& call, index_t padding, const Rows& rows) {
  reach distances;
  if constexpr ((... || tabulated<Parts, T>)) distances = reach_of(assemble(whole, call, std::tuple{}, std::tuple{}), padding);
  const auto tabled = [&]<class P>(const P& part) {
    if constexpr (tabulated<P, T>)
      return part.template prepare<T>(distances);
    else
      return part;
  };
  return assemble(whole, call, rows, pick(whole, transform_kind, tabled));
}

// The same with the tables of the positions at hand.
template <class T, class... Parts>
auto bind(const mechanism<Parts...>& whole, const shapes& call, index_t padding) {
  check(whole, call);
  const auto turned = [&]<class P>(const P& part) {
    if constexpr (rotation<P>)
      return angle_table<T>(part.frequencies(call.channels), call.query_positions(), call.key_positions());
    else
      return part;
  };
  return bind_transforms<T>(whole, call, padding, pick(whole, rows_kind, turned));
}

LONGSPAN_NAMESPACE_END

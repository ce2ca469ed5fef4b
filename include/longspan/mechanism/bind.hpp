#pragma once

#include <tuple>
#include <utility>

#include <longspan/core/require.hpp>
#include <longspan/core/shapes.hpp>
#include <longspan/mechanism.hpp>
#include <longspan/mechanism/bound.hpp>
#include <longspan/mechanism/bound_transforms.hpp>
#include <longspan/mechanism/parameters_of.hpp>
#include <longspan/mechanism/seen_keys.hpp>
#include <longspan/position/angle_table.hpp>
#include <longspan/position/rotate.hpp>
#include <longspan/transform/reach.hpp>

LONGSPAN_NAMESPACE_BEGIN
namespace detail {

// The parts of a sentence from one place to another, each as `prepare` gives it.
template <place First, place Last = First, class... Parts, class Prepare>
auto pick(const mechanism<Parts...>& whole, Prepare prepare) {
  const auto one = [&]<class P>(const P& part) {
    if constexpr (First <= place_of<P> && place_of<P> <= Last)
      return std::tuple<decltype(prepare(part))>{prepare(part)};
    else
      return std::tuple{};
  };
  return std::apply([&](const Parts&... each) { return std::tuple_cat(one(each)...); }, whole.parts);
}

inline constexpr auto unchanged = [](const auto& part) { return part; };

template <class... Parts>
void check(const mechanism<Parts...>& whole, const shapes& lengths) {
  static_assert((0 + ... + is_score<Parts>) == 1,
                "a mechanism needs a score: dot_product{} or cosine{}, before its transforms and mask");
  static_assert((0 + ... + is_mask<Parts>) >= 1,
                "a mechanism ends with a mask that says what a row sees: causal{}, everything{} ...");
  const auto one = [&]<class P>(const P& part) {
    if constexpr (requires { part.check(lengths); }) part.check(lengths);
    detail::check_numbers(part, lengths);
    if constexpr (rotation<P>) require_pairs(index_t(part.frequencies(lengths.channels).frequencies.size()), lengths.channels);
  };
  std::apply([&](const Parts&... each) { (one(each), ...); }, whole.parts);
}

// The scale and the transforms, each as `prepare` gives it.
template <class... Parts, class Prepare>
auto bind_transforms(const mechanism<Parts...>& whole, const shapes& lengths, Prepare prepare) {
  const auto score = std::get<0>(detail::pick<place::score>(whole, unchanged));
  double scale = 1;
  if constexpr (requires { score.factor(lengths); }) scale = score.factor(lengths);
  auto transforms = detail::pick<place::anywhere_between, place::bias>(whole, prepare);
  return bound_transforms<decltype(transforms)>{scale, std::move(transforms)};
}

template <class Rows, class Seen, class Transforms, class... Parts>
auto assemble(const mechanism<Parts...>& whole, const shapes& lengths, Rows rows, Seen seen, Transforms transforms) {
  auto score = std::get<0>(detail::pick<place::score>(whole, unchanged));
  auto sinks = detail::pick<place::sink>(whole, unchanged);
  return bound<Rows, decltype(score), Transforms, Seen, decltype(sinks)>{
      lengths, std::move(rows), score, std::move(transforms), std::move(seen), std::move(sinks)};
}

// Asks the masks that are in the mechanism: an answer may refer to them.
template <class... Parts>
auto see(const mechanism<Parts...>& whole, const shapes& lengths) {
  return seen_keys(detail::pick<place::mask>(whole, [](const auto& part) -> const auto& { return part; }), lengths);
}

// The parts themselves, for the reference: rotations by their definition, functions of the distance asked for every key.
template <class... Parts>
auto bind_definition(const mechanism<Parts...>& whole, const shapes& lengths) {
  detail::check(whole, lengths);
  const auto definition = [&]<class P>(const P& part) {
    if constexpr (rotation<P>)
      return rotation_by_definition{part.frequencies(lengths.channels)};
    else
      return part;
  };
  return detail::assemble(whole, lengths, detail::pick<place::rows>(whole, definition), detail::see(whole, lengths),
                          detail::bind_transforms(whole, lengths, unchanged));
}

// A transform that the kernel replaces by a table of the distances that occur.
template <class P, class T>
concept tabulated = requires(const P& part, const reach& distances) { part.template prepare<T>(distances); };

// The transforms for logits of T, with tables of some distances.
template <class T, class... Parts>
auto bind_transforms_for(const mechanism<Parts...>& whole, const shapes& lengths, const reach& distances) {
  return detail::bind_transforms(whole, lengths, [&]<class P>(const P& part) {
    if constexpr (tabulated<P, T>)
      return part.template prepare<T>(distances);
    else
      return part;
  });
}

// A sentence for the kernel, with tables of the positions and the distances of the call, made once for all its heads. Tiles touch up to
// `padding` keys beyond the last.
template <class T, class... Parts>
auto bind(const mechanism<Parts...>& whole, const shapes& lengths, index_t padding) {
  detail::check(whole, lengths);
  const auto turned = [&]<class P>(const P& part) {
    if constexpr (rotation<P>)
      return angle_table<T>(part.frequencies(lengths.channels), lengths.query_positions(), lengths.key_positions());
    else if constexpr (requires { part.template prepare<T>(lengths); })
      return part.template prepare<T>(lengths);
    else
      return part;
  };
  auto seen = detail::see(whole, lengths);
  auto transforms = detail::bind_transforms_for<T>(whole, lengths, seen.distances(padding));
  return detail::assemble(whole, lengths, detail::pick<place::rows>(whole, turned), std::move(seen), std::move(transforms));
}

}  // namespace detail
LONGSPAN_NAMESPACE_END

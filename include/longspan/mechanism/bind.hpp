#pragma once

#include <algorithm>
#include <memory>
#include <span>
#include <tuple>
#include <utility>

#include <longspan/core/require.hpp>
#include <longspan/core/shapes.hpp>
#include <longspan/core/text.hpp>
#include <longspan/mechanism.hpp>
#include <longspan/mechanism/bound.hpp>
#include <longspan/mechanism/bound_transforms.hpp>
#include <longspan/mechanism/parameters_of.hpp>
#include <longspan/mechanism/seen_keys.hpp>
#include <longspan/position/angle_table.hpp>
#include <longspan/position/rotate.hpp>
#include <longspan/tile/buffer.hpp>
#include <longspan/tile/kept_blocks.hpp>
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
// Parts that hold lists are not copied for a call: the sentence outlives it.
inline constexpr auto borrowed = [](const auto& part) -> const auto& { return part; };

template <class P>
void check_part(const P& part, const shapes& lengths, std::span<const text> texts) {
  if constexpr (requires { part.check(lengths); }) part.check(lengths);
  if constexpr (requires { part.check(lengths, texts); }) part.check(lengths, texts);
  detail::check_numbers(part, lengths);
  if constexpr (rotation<P>) require_pairs(index_t(part.frequencies(lengths.channels).frequencies.size()), lengths.channels);
}

// The parts of a sentence from one place to another.
template <place First, place Last, class... Parts>
void check_parts(const mechanism<Parts...>& whole, const shapes& lengths, std::span<const text> texts) {
  detail::pick<First, Last>(whole, [&](const auto& part) { return detail::check_part(part, lengths, texts), true; });
}

template <class... Parts>
void check(const mechanism<Parts...>& whole, const shapes& lengths, std::span<const text> texts) {
  static_assert(is_sum<Parts...> || (0 + ... + is_score<Parts>) == 1,
                "a mechanism needs a score: dot_product{} or cosine{}, before its transforms and mask");
  static_assert(is_sum<Parts...> || (0 + ... + is_mask<Parts>) >= 1,
                "a mechanism ends with a mask that says what a row sees: causal{}, everything{} ...");
  std::apply([&](const auto&... each) { (detail::check_part(each, lengths, texts), ...); }, detail::parts_of(whole));
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

// The masks that are in the mechanism, or what they prepare: an answer may refer to either.
template <class... Parts>
auto masks_of(const mechanism<Parts...>& whole, const shapes& lengths) {
  return detail::pick<place::mask>(whole, [&](const auto& part) -> decltype(auto) { return detail::prepared(part, lengths); });
}
template <class... Parts>
using seen_by = seen_keys<decltype(detail::masks_of(std::declval<const mechanism<Parts...>&>(), shapes{}))>;

// What the rows of each text see of a sentence by itself. Neighbours that stand alike share it where the masks look at positions alone.
template <class... Parts>
auto see(const mechanism<Parts...>& whole, const shapes& lengths, std::span<const text> texts) {
  const auto masks = detail::masks_of(whole, lengths);
  using seen = seen_by<Parts...>;
  buffer<std::shared_ptr<const seen>> each;
  for (std::size_t t = 0; t < texts.size(); ++t)
    each.push_back(seen::alike && t > 0 && texts[t].stands_like(texts[t - 1])
                       ? each.back()
                       : std::allocate_shared<seen>(recycled<seen>(), masks, lengths, texts[t]));
  return each;
}

// The sentence for each text, of what all share.
template <class Rows, class Seen, class Transforms, class... Parts>
auto assemble(const mechanism<Parts...>& whole, const shapes& lengths, std::span<const text> texts, const Rows& rows,
              const buffer<std::shared_ptr<const Seen>>& seen, const Transforms& transforms) {
  const auto score = std::get<0>(detail::pick<place::score>(whole, unchanged));
  const auto dropouts = detail::pick<place::dropout>(whole, unchanged);
  const auto sinks = detail::pick<place::sink>(whole, borrowed);
  buffer<bound<Rows, std::remove_const_t<decltype(score)>, Transforms, Seen, std::remove_const_t<decltype(dropouts)>,
               std::remove_const_t<decltype(sinks)>>>
      each;
  for (std::size_t t = 0; t < texts.size(); ++t)
    each.push_back({texts[t], texts[t].lengths(lengths), rows, score, transforms, seen[t], dropouts, sinks});
  return each;
}

// The parts themselves, for the reference: rotations by their definition, functions of the distance asked for every key.
template <class... Parts, class Seen>
auto bind_definition(const mechanism<Parts...>& whole, const shapes& lengths, std::span<const text> texts, const Seen& seen) {
  const auto definition = [&]<class P>(const P& part) {
    if constexpr (rotation<P>)
      return rotation_by_definition{part.frequencies(lengths.channels)};
    else
      return part;
  };
  return detail::assemble(whole, lengths, texts, detail::pick<place::rows>(whole, definition), seen,
                          detail::bind_transforms(whole, lengths, unchanged));
}
template <class... Parts>
auto bind_definition(const mechanism<Parts...>& whole, const shapes& lengths, std::span<const text> texts) {
  detail::check(whole, lengths, texts);
  return detail::bind_definition(whole, lengths, texts, detail::see(whole, lengths, texts));
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

// The distances that occur in any text, of what the rows of each see.
template <class Texts, class Seen>
reach distances_of(const Texts& texts, index_t padding, Seen seen) {
  reach all;
  for (const auto& each : texts) {
    const reach one = seen(each).distances(padding);
    all = {hull(all.seen, one.seen), hull(all.touched, one.touched), std::max(all.heads, one.heads)};
  }
  return all;
}

// The row parts for rows of T, with tables of the places of some texts, made once for all texts and heads; table(ladder) is the angle_table
// of a rotation.
template <class T, class... Parts, class Table>
auto bind_rows(const mechanism<Parts...>& whole, const shapes& lengths, std::span<const text> texts, Table& table) {
  return detail::pick<place::rows>(whole, [&]<class P>(const P& part) {
    if constexpr (rotation<P>)
      return table(part.frequencies(lengths.channels));
    else if constexpr (requires { part.template prepare<T>(lengths, texts); })
      return part.template prepare<T>(lengths, texts);
    else
      return part;
  });
}
template <class T, class... Parts>
auto bind_rows(const mechanism<Parts...>& whole, const shapes& lengths, std::span<const text> texts) {
  const auto table = [places = places_of_texts(texts)](ladder rungs) {
    return angle_table<T>(std::move(rungs), places.queries, places.keys);
  };
  return detail::bind_rows<T>(whole, lengths, texts, table);
}

// The sentence for the kernel, for each text, of its row parts and of what its rows see, with tables of the distances of the call. Tiles
// touch up to `padding` keys beyond the last.
template <class T, class... Parts, class Rows, class Seen>
auto bind(const mechanism<Parts...>& whole, const shapes& lengths, std::span<const text> texts, index_t padding, const Rows& rows,
          const Seen& seen) {
  return detail::assemble(whole, lengths, texts, rows, seen,
                          detail::bind_transforms_for<T>(
                              whole, lengths, detail::distances_of(seen, padding, [](const auto& each) { return *each; })));
}

// The same of a sentence that is no sum, checked. `turned` are the texts whose rows the kernel prepares.
template <class T, class... Parts>
auto bind(const mechanism<Parts...>& whole, const shapes& lengths, std::span<const text> texts, std::span<const text> turned,
          index_t padding) {
  detail::check(whole, lengths, texts);
  const auto seen = detail::see(whole, lengths, texts);
  return detail::bind<T>(whole, lengths, texts, padding, detail::bind_rows<T>(whole, lengths, turned), seen);
}
template <class T, class... Parts>
auto bind(const mechanism<Parts...>& whole, const shapes& lengths, std::span<const text> texts, index_t padding) {
  return detail::bind<T>(whole, lengths, texts, texts, padding);
}

}  // namespace detail
LONGSPAN_NAMESPACE_END

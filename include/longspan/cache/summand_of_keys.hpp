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
#include <longspan/position/concept.hpp>

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

// The first summand of a sum, whose keys are all prepared alike; a sentence itself. Throws shape_error where they are not.
template <class... Parts>
const auto& summand_of_keys(const mechanism<Parts...>& whole, const shapes& lengths) {
  if constexpr (is_sum<Parts...>) {
    const auto rows = [](const auto& summand) { return detail::pick<place::rows, place::score>(summand, unchanged); };
    const auto& first = std::get<0>(whole.parts);
    using parts = decltype(rows(first));
    static_assert(
        (std::is_same_v<parts, decltype(rows(std::declval<const Parts&>()))> && ...),
        "keys that are kept are prepared once: the summands of a sum over them have the same row parts and score. Where near "
        "and far keys turn otherwise (ReRoPE), keep two caches, and merge what forward makes of each summand over its own");
    const auto alike = [&](const auto&... each) {
      return [&]<std::size_t... N>(std::index_sequence<N...>, const auto&... others) {
        const auto one = [&](const auto& other) {
          return (detail::turn_alike(std::get<N>(rows(first)), std::get<N>(other), lengths) && ...);
        };
        return (one(others) && ...);
      }(std::make_index_sequence<std::tuple_size_v<parts>>{}, rows(each)...);
    };
    if (!std::apply(alike, whole.parts))
      throw shape_error("keys that are kept are prepared once, and the summands of the sum turn them differently");
    return first;
  } else {
    return whole;
  }
}

}  // namespace detail
LONGSPAN_NAMESPACE_END

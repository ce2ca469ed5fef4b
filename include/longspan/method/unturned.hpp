#pragma once

#include <longspan/mechanism.hpp>
#include <longspan/position/concept.hpp>

LONGSPAN_NAMESPACE_BEGIN
namespace detail {

// What the methods are given to join to their rotations: the score and what follows it up to the masks. Rows that have turned before
// would turn twice.
template <class X>
inline constexpr bool has_rotation = rotation<X>;
template <class... Parts>
inline constexpr bool has_rotation<mechanism<Parts...>> = (has_rotation<Parts> || ...);
template <class X>
concept unturned = sentence<X> && !has_rotation<X>;

}  // namespace detail
LONGSPAN_NAMESPACE_END

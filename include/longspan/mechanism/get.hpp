#pragma once

#include <cstddef>
#include <tuple>
#include <type_traits>

#include <longspan/mechanism.hpp>

LONGSPAN_NAMESPACE_BEGIN
namespace detail {

// Where the N-th part of type Part stands among some parts; their number where there is none.
template <class Part, std::size_t N, class... Parts>
constexpr std::size_t find_part() {
  std::size_t found = sizeof...(Parts), index = 0, before = 0;
  ((std::is_same_v<Part, Parts> && before++ == N ? void(found = index) : void(), ++index), ...);
  return found;
}

template <class Part, std::size_t N, class... Each>
auto& get_part(const std::tuple<Each&...>& parts) {
  constexpr std::size_t index = find_part<Part, N, std::remove_const_t<Each>...>();
  static_assert(index < sizeof...(Each), "get<Part, N>(mechanism): the mechanism has no N-th part of this type, counted from 0");
  if constexpr (index < sizeof...(Each))
    return std::get<index>(parts);
  else
    return std::get<0>(parts);
}

}  // namespace detail

// A part of a mechanism: the N-th of type Part, counted from 0 in the order of the sentence, and of a sum's
// sentences. Does not compile where there are fewer.
//
//   auto whole = dot_product{} | temperature{2} | temperature{3} | causal{};
//   get<temperature, 1>(whole).factor = 4;
template <class Part, std::size_t N = 0, class... Parts>
Part& get(mechanism<Parts...>& whole) {
  return detail::get_part<Part, N>(detail::parts_of(whole));
}
template <class Part, std::size_t N = 0, class... Parts>
const Part& get(const mechanism<Parts...>& whole) {
  return detail::get_part<Part, N>(detail::parts_of(whole));
}

LONGSPAN_NAMESPACE_END

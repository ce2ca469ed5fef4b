#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <span>
#include <tuple>
#include <type_traits>
#include <utility>

#include <longspan/mechanism.hpp>
#include <longspan/mechanism/get.hpp>
#include <longspan/mechanism/parameters_of.hpp>
#include <longspan/parameter/learned.hpp>
#include <longspan/parameter/per_channel.hpp>
#include <longspan/parameter/per_head.hpp>
#include <longspan/parameter/visit_lists.hpp>

LONGSPAN_NAMESPACE_BEGIN
namespace detail {

// A learned number as the list of its values: one, one a head or a channel, or none.
inline std::span<double> values_of(learned& number) { return {&number.value, 1}; }
inline std::span<const double> values_of(const learned& number) { return {&number.value, 1}; }
inline std::span<double> values_of(per_head& numbers) { return {numbers.begin(), numbers.end()}; }
inline std::span<const double> values_of(const per_head& numbers) { return {numbers.begin(), numbers.end()}; }
inline std::span<double> values_of(std::optional<per_head>& numbers) {
  return numbers ? values_of(*numbers) : std::span<double>();
}
inline std::span<const double> values_of(const std::optional<per_head>& numbers) {
  return numbers ? values_of(*numbers) : std::span<const double>();
}
inline std::span<double> values_of(per_channel& numbers) { return {numbers.begin(), numbers.end()}; }
inline std::span<const double> values_of(const per_channel& numbers) { return {numbers.begin(), numbers.end()}; }

// A mechanism to read learned numbers from. A const one is copied where one of its parts has no const `parameters()`.
template <class Mechanism>
struct readable_mechanism {
  using number = std::conditional_t<std::is_const_v<Mechanism>, const double, double>;
  Mechanism& whole;
};
template <class Part>
inline constexpr bool is_read_from_a_copy = has_parameters<Part> && !has_const_parameters<Part>;
template <class... Parts>
inline constexpr bool is_read_from_a_copy<mechanism<Parts...>> = (is_read_from_a_copy<Parts> || ...);
template <class... Parts>
  requires is_read_from_a_copy<mechanism<Parts...>>
struct readable_mechanism<const mechanism<Parts...>> {
  using number = const double;
  mechanism<Parts...> whole;
};

// The lists of all learned numbers of a mechanism, in order.
template <class Readable>
auto lists_of(Readable& mechanism) {
  const auto lists = [](auto&... number) {
    return std::array<std::span<typename Readable::number>, sizeof...(number)>{detail::values_of(number)...};
  };
  return std::apply(lists, detail::parameters_of(mechanism.whole));
}

template <class Mechanism, class... Mechanisms, class Visit>
void visit_learned(Visit& visit, Mechanism& first, Mechanisms&... others) {
  static_assert(is_mechanism<std::remove_const_t<Mechanism>>, "for_each_learned(mechanism, ..., visit) visits mechanisms");
  static_assert((std::is_same_v<std::remove_const_t<Mechanism>, std::remove_const_t<Mechanisms>> && ...),
                "for_each_learned visits the learned numbers of several mechanisms together if they have the same type");
  std::apply([&](auto&&... readable) { detail::visit_lists(visit, detail::lists_of(readable)...); },
             std::tuple{readable_mechanism<Mechanism>{first}, readable_mechanism<Mechanisms>{others}...});
}

}  // namespace detail

// Calls visit(number) with each learned number of a mechanism as a double&, in the order of the sentence: the value of a
// `learned`, every element of a `per_head` and a `per_channel`, and of a std::optional<per_head> where it is given. Several
// mechanisms of one type are visited together, so that an optimiser is one line, whatever the mechanism:
//
//   for_each_learned(student, gradient.d_mechanism, [&](double& number, double slope) { number -= rate * slope; });
//
// Numbers of a const mechanism come as const double&. Throws std::invalid_argument, before anything is visited, where one
// mechanism has a list of another length than the first.
template <class Mechanism, class... MechanismsAndVisit>
  requires(sizeof...(MechanismsAndVisit) > 0)
void for_each_learned(Mechanism&& whole, MechanismsAndVisit&&... more) {
  constexpr std::size_t others = sizeof...(MechanismsAndVisit) - 1;
  const auto rest = std::forward_as_tuple(more...);
  [&]<std::size_t... Other>(std::index_sequence<Other...>) {
    detail::visit_learned(std::get<others>(rest), whole, std::get<Other>(rest)...);
  }(std::make_index_sequence<others>{});
}

LONGSPAN_NAMESPACE_END

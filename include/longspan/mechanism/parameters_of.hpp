#pragma once

#include <algorithm>
#include <cstddef>
#include <numeric>
#include <optional>
#include <span>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include <longspan/core/index.hpp>
#include <longspan/core/query_row.hpp>
#include <longspan/core/shapes.hpp>
#include <longspan/mechanism.hpp>
#include <longspan/mechanism/part.hpp>
#include <longspan/parameter/learned.hpp>
#include <longspan/parameter/per_channel.hpp>
#include <longspan/parameter/per_head.hpp>
#include <longspan/transform/temperature.hpp>

LONGSPAN_NAMESPACE_BEGIN
namespace detail {

// The learned numbers of a mechanism. A transform or a sink names its own: `auto parameters() { return std::tie(power); }`,
// fields of type learned, per_head or std::optional<per_head>; a row part names fields of type per_channel. They are numbered in the
// order of the sentence, those of a part in the order of its tuple.

template <class P>
concept has_parameters = requires(std::remove_const_t<P>& part) { part.parameters(); };

// A part that names its numbers where it is const too.
template <class P>
concept has_const_parameters = has_parameters<P> && requires(const P& part) { part.parameters(); };

template <class Number>
inline constexpr bool is_list = std::is_same_v<Number, per_head> || std::is_same_v<Number, std::optional<per_head>>;

template <class Tuple>
inline constexpr bool are_learned = false;
template <class... Number>
inline constexpr bool are_learned<std::tuple<Number&...>> =
    ((std::is_same_v<std::remove_const_t<Number>, learned> || is_list<std::remove_const_t<Number>>) && ...);

template <class Tuple>
inline constexpr bool are_per_channel = false;
template <class... Number>
inline constexpr bool are_per_channel<std::tuple<Number&...>> = (std::is_same_v<std::remove_const_t<Number>, per_channel> && ...);

template <class Tuple>
inline constexpr bool any_list = false;
template <class... Number>
inline constexpr bool any_list<std::tuple<Number&...>> = (!std::is_same_v<std::remove_const_t<Number>, learned> || ...);

// References to the learned numbers of a part or a mechanism. The type decides whether they may be written.
template <class P>
auto parameters_of(P& part) {
  if constexpr (has_parameters<P>) {
    using Part = std::remove_const_t<P>;
    static_assert(!is_score<Part> && !is_mask<Part>, "only row parts, transforms and sinks have learned numbers");
    static_assert(is_rows<Part> || are_learned<decltype(part.parameters())>,
                  "parameters() names fields of type learned, per_head or std::optional<per_head>");
    static_assert(!is_rows<Part> || are_per_channel<decltype(part.parameters())>,
                  "parameters() of a row part names fields of type per_channel");
    return part.parameters();
  } else {
    return std::tuple{};
  }
}
template <class... Parts>
auto parameters_of(mechanism<Parts...>& whole) {
  return std::apply([](auto&... part) { return std::tuple_cat(detail::parameters_of(part)...); }, whole.parts);
}
template <class... Parts>
auto parameters_of(const mechanism<Parts...>& whole) {
  return std::apply([](auto&... part) { return std::tuple_cat(detail::parameters_of(part)...); }, whole.parts);
}

template <class P>
inline constexpr std::size_t parameter_count = std::tuple_size_v<decltype(detail::parameters_of(std::declval<P&>()))>;
template <class... Parts>
inline constexpr std::size_t row_parameters = (0 + ... + (is_rows<Parts> ? parameter_count<Parts> : 0));
template <class... Parts>
inline constexpr std::size_t transform_parameters = (0 + ... + (is_transform<Parts> ? parameter_count<Parts> : 0));

// Takes from the front of the lists of a sum's learned numbers those of its next summand; none where nothing is learned.
template <class Summand>
std::span<std::vector<double>> take_lists(std::span<std::vector<double>>& rest) {
  const auto lists = rest.first(std::min(parameter_count<Summand>, rest.size()));
  rest = rest.subspan(lists.size());
  return lists;
}

// How many belong to the temperatures at the head of the transforms. These are folded into the query, so that the derivative of a
// row's loss by their product is one dot product.
template <class... Parts>
constexpr std::size_t count_folded() {
  std::size_t folded = 0;
  bool leading = true;
  const auto one = [&]<class P>(std::type_identity<P>) {
    if constexpr (is_transform<P>) {
      leading = leading && std::is_same_v<decltype(std::declval<const P&>()(query_row{})), row_factor>;
      if (leading) folded += parameter_count<P>;
    }
  };
  (one(std::type_identity<Parts>{}), ...);
  return folded;
}

// Asks for the derivative by a number.
inline void seed(learned& number) { number.slope = 1; }
inline void seed(per_head& numbers) { numbers.seed(); }
inline void seed(std::optional<per_head>& numbers) {
  if (numbers) numbers->seed();
}
inline void seed(per_channel&) {}  // its derivatives come from turn_back

// Replaces a learned number by its gradient, given as the share of each head, or as that of each channel.
inline void become(learned& number, const std::vector<double>& by_head) {
  number = std::accumulate(by_head.begin(), by_head.end(), 0.0);
}
inline void become(per_head& numbers, const std::vector<double>& by_head) {
  numbers = numbers.values().size() == 1 ? per_head(std::accumulate(by_head.begin(), by_head.end(), 0.0)) : per_head(by_head);
}
inline void become(std::optional<per_head>& numbers, const std::vector<double>& by_head) {
  if (numbers) become(*numbers, by_head);
}
inline void become(per_channel& numbers, const std::vector<double>& by_channel) {
  if (!numbers.empty()) numbers = by_channel;
}

// Throws std::invalid_argument where a list of numbers does not fit the heads or the channels.
inline void check(const learned&, const shapes&) {}
inline void check(const per_head& numbers, const shapes& lengths) { numbers.check("a part's per_head", lengths.heads); }
inline void check(const std::optional<per_head>& numbers, const shapes& lengths) {
  if (numbers) check(*numbers, lengths);
}
inline void check(const per_channel& numbers, const shapes& lengths) { numbers.check("a part's per_channel", lengths.channels); }

// The same for all lists of a part. Only a part that has lists and no const `parameters()` is copied for it.
template <class P>
void check_numbers(const P& part, const shapes& lengths) {
  const auto all = [&](const auto&... number) { (check(number, lengths), ...); };
  if constexpr (!any_list<decltype(detail::parameters_of(std::declval<P&>()))>) {
    return;
  } else if constexpr (has_const_parameters<P>) {
    std::apply(all, detail::parameters_of(part));
  } else {
    P copy = part;
    std::apply(all, detail::parameters_of(copy));
  }
}

// Calls visit(number, index) for every learned number: learned&, per_head&, std::optional<per_head>& or per_channel&.
template <class... Parts, class Visit>
void for_each_parameter(mechanism<Parts...>& whole, Visit visit) {
  std::size_t index = 0;
  std::apply([&](auto&... number) { (visit(number, index++), ...); }, detail::parameters_of(whole));
}

}  // namespace detail
LONGSPAN_NAMESPACE_END

#pragma once

#include <array>
#include <cstddef>
#include <numeric>
#include <optional>
#include <tuple>
#include <type_traits>
#include <vector>

#include <longspan/core/index.hpp>
#include <longspan/core/query_row.hpp>
#include <longspan/mechanism.hpp>
#include <longspan/parameter/learned.hpp>
#include <longspan/parameter/per_head.hpp>
#include <longspan/transform/temperature.hpp>

LONGSPAN_NAMESPACE_BEGIN
namespace detail {

// The learned numbers of a mechanism. A transform names its own: `auto parameters() { return std::tie(power); }`, fields of type learned
// or per_head; so does a sink. They are counted through the sentence as it is written.

template <class Tuple>
inline constexpr bool are_learned = false;
template <class... Number>
inline constexpr bool are_learned<std::tuple<Number...>> =
    ((std::is_same_v<Number, learned&> || std::is_same_v<Number, per_head&> ||
      std::is_same_v<Number, std::optional<per_head>&>) &&
     ...);

template <class P>
auto parameters_of(P& part) {
  if constexpr (requires { part.parameters(); }) {
    static_assert(!is_rows<P> && !is_score<P> && !is_mask<P>, "only transforms and sinks have learned numbers");
    static_assert(are_learned<decltype(part.parameters())>,
                  "parameters() names fields of type learned, per_head or std::optional<per_head>");
    return part.parameters();
  } else {
    return std::tuple{};
  }
}
template <class... Parts>
auto parameters_of(mechanism<Parts...>& whole) {
  return std::apply([](auto&... part) { return std::tuple_cat(parameters_of(part)...); }, whole.parts);
}

template <class P>
inline constexpr std::size_t parameter_count = std::tuple_size_v<decltype(parameters_of(std::declval<P&>()))>;
template <class... Parts>
inline constexpr std::size_t transform_parameters = (0 + ... + (is_transform<Parts> ? parameter_count<Parts> : 0));

// Those of the temperatures at the head of the transforms, which are folded into the query: the derivative of a row's loss by its factor
// is one dot product.
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

inline void seed(learned& number) { number.slope = 1; }
inline void seed(per_head& numbers) { numbers.seed(); }
inline void seed(std::optional<per_head>& numbers) {
  if (numbers) numbers->seed();
}

// A learned number takes the value of its gradient, of which every head gives its part.
inline void become(learned& number, const std::vector<double>& by_head) {
  number = std::accumulate(by_head.begin(), by_head.end(), 0.0);
}
inline void become(per_head& numbers, const std::vector<double>& by_head) {
  numbers = numbers.values().size() == 1 ? per_head(std::accumulate(by_head.begin(), by_head.end(), 0.0)) : per_head(by_head);
}
inline void become(std::optional<per_head>& numbers, const std::vector<double>& by_head) {
  if (numbers) become(*numbers, by_head);
}

// A list of numbers fits the heads.
inline void check(const learned&, index_t) {}
inline void check(const per_head& numbers, index_t heads) { numbers.check("a part's per_head", heads); }
inline void check(const std::optional<per_head>& numbers, index_t heads) {
  if (numbers) check(*numbers, heads);
}

// Calls visit(number, index) for every learned number.
template <class... Parts, class Visit>
void for_each_parameter(mechanism<Parts...>& whole, Visit visit) {
  std::size_t index = 0;
  std::apply([&](auto&... number) { (visit(number, index++), ...); }, parameters_of(whole));
}

}  // namespace detail
LONGSPAN_NAMESPACE_END

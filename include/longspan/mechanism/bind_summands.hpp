#pragma once

#include <array>
#include <cstddef>
#include <memory>
#include <span>
#include <tuple>
#include <utility>

#include <longspan/core/shapes.hpp>
#include <longspan/core/text.hpp>
#include <longspan/mechanism.hpp>
#include <longspan/mechanism/bind.hpp>
#include <longspan/mechanism/seen_in_all.hpp>
#include <longspan/position/angle_table.hpp>
#include <longspan/tile/buffer.hpp>
#include <longspan/tile/kept_blocks.hpp>

LONGSPAN_NAMESPACE_BEGIN
namespace detail {

// What the rows of each text see in one summand, from what they see in all, which texts that stand alike may share.
template <class Seen>
auto in_summand(const buffer<std::shared_ptr<const Seen>>& own, const buffer<std::shared_ptr<const seen_in_all>>& all,
                bool counts_sink) {
  using seen = seen_in_summand<Seen>;
  buffer<std::shared_ptr<const seen>> each;
  for (std::size_t t = 0; t < own.size(); ++t)
    each.push_back(t > 0 && own[t] == own[t - 1] && all[t] == all[t - 1]
                       ? each.back()
                       : std::allocate_shared<seen>(recycled<seen>(), own[t], all[t], counts_sink));
  return each;
}

// Whether a part stands at a place; of a mechanism, any of its parts or its summands'.
template <place Where, class P>
inline constexpr bool has_part_at = place_of<P> == Where;
template <place Where, class... Parts>
inline constexpr bool has_part_at<Where, mechanism<Parts...>> = (has_part_at<Where, Parts> || ...);

// The number of the last summand that has a sink, which counts it; their number where none has.
template <class... Summands>
constexpr std::size_t summand_with_sink() {
  constexpr std::array has_sink{has_part_at<place::sink, Summands>...};
  std::size_t last = sizeof...(Summands);
  for (std::size_t n = 0; n < sizeof...(Summands); ++n)
    if (has_sink[n]) last = n;
  return last;
}

// What the rows of each text see in each summand: a tuple of what `see` makes of a sentence.
template <class... Summands>
auto see_summands(const mechanism<Summands...>& whole, const shapes& lengths, std::span<const text> texts) {
  const auto own = std::apply([&](const auto&... each) { return std::tuple{detail::see(each, lengths, texts)...}; }, whole.parts);
  return [&]<std::size_t... N>(std::index_sequence<N...>) {
    buffer<std::shared_ptr<const seen_in_all>> all;
    for (std::size_t t = 0; t < texts.size(); ++t)
      all.push_back(t > 0 && ((std::get<N>(own)[t] == std::get<N>(own)[t - 1]) && ...)
                        ? all.back()
                        : std::allocate_shared<seen_in_all>(recycled<seen_in_all>(), texts[t], lengths, *std::get<N>(own)[t]...));
    return std::tuple{detail::in_summand(std::get<N>(own), all, N == summand_with_sink<Summands...>())...};
  }(std::index_sequence_for<Summands...>{});
}

// The summands, each as bind(summand, seen) binds it for the texts of a call: a tuple. They were checked.
template <class... Summands, class Bind>
auto bind_summands(const mechanism<Summands...>& whole, const shapes& lengths, std::span<const text> texts, Bind bind) {
  const auto seen = detail::see_summands(whole, lengths, texts);
  return [&]<std::size_t... N>(std::index_sequence<N...>) {
    return std::tuple<decltype(bind(std::get<N>(whole.parts), std::get<N>(seen)))...>{
        bind(std::get<N>(whole.parts), std::get<N>(seen))...};
  }(std::index_sequence_for<Summands...>{});
}

// What the rows of each text see in a sentence; in a sum, in each summand: a tuple.
template <class... Parts>
auto see_each(const mechanism<Parts...>& whole, const shapes& lengths, std::span<const text> texts) {
  if constexpr (is_sum<Parts...>)
    return detail::see_summands(whole, lengths, texts);
  else
    return std::tuple{detail::see(whole, lengths, texts)};
}

// What bind(sentence, seen) makes of a sentence that was checked; of a sum, a tuple of what it makes of each summand.
template <class... Parts, class Bind>
auto bind_each(const mechanism<Parts...>& whole, const shapes& lengths, std::span<const text> texts, Bind bind) {
  if constexpr (is_sum<Parts...>)
    return detail::bind_summands(whole, lengths, texts, bind);
  else
    return bind(whole, detail::see(whole, lengths, texts));
}

// Calls visit(sentence, bound) for what one of the above made of a mechanism; of a sum, for each summand, in order.
template <class... Parts, class Bound, class Visit>
void for_each_sentence(const mechanism<Parts...>& whole, Bound bound, Visit visit) {
  if constexpr (is_sum<Parts...>)
    [&]<std::size_t... N>(std::index_sequence<N...>) {
      (visit(std::get<N>(whole.parts), std::move(std::get<N>(bound))), ...);
    }(std::index_sequence_for<Parts...>{});
  else
    visit(whole, std::move(bound));
}

// What `bind` makes of a sentence; of a sum, a tuple of what it makes of each summand.
template <class T, class... Parts>
auto bind_for_kernel(const mechanism<Parts...>& whole, const shapes& lengths, std::span<const text> texts,
                     std::span<const text> turned, index_t padding) {
  if constexpr (is_sum<Parts...>) {
    detail::check(whole, lengths, texts);
    angle_tables<T> tables(turned);
    return detail::bind_summands(whole, lengths, texts, [&](const auto& summand, const auto& seen) {
      return detail::bind<T>(summand, lengths, texts, padding, detail::bind_rows<T>(summand, lengths, turned, tables), seen);
    });
  } else {
    return detail::bind<T>(whole, lengths, texts, turned, padding);
  }
}

}  // namespace detail
LONGSPAN_NAMESPACE_END

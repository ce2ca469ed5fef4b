#pragma once

#include <array>
#include <cstddef>
#include <span>
#include <utility>
#include <vector>

#include <longspan/core/device.hpp>
#include <longspan/core/shapes.hpp>
#include <longspan/core/text.hpp>
#include <longspan/kernel/backward_row.hpp>
#include <longspan/kernel/backward_wave.hpp>
#include <longspan/kernel/bound_text.hpp>
#include <longspan/kernel/without_negligible.hpp>
#include <longspan/mechanism.hpp>
#include <longspan/mechanism/bind.hpp>
#include <longspan/mechanism/parameters_of.hpp>
#include <longspan/position/angle_table.hpp>
#include <longspan/tensor/fill_between.hpp>
#include <longspan/tile/buffer.hpp>
#include <longspan/tile/shape.hpp>
#include <longspan/transform/reach.hpp>

LONGSPAN_NAMESPACE_BEGIN
namespace detail {

// A sentence bound for its backward pass: to each text, and its transforms once for every learned number.
template <class Mechanism, class Seeds>
struct bound_backward {
  buffer<Mechanism> texts;
  Seeds learned_numbers;
};

// The transforms once for each of the Count learned numbers after the Lists of row parts, seeded with it.
template <class T, std::size_t Lists, std::size_t Count, std::size_t Folded, class... Parts>
auto bind_seeds(const mechanism<Parts...>& whole, const shapes& lengths, const reach& distances) {
  const auto seeded = [&](std::size_t number) {
    mechanism<Parts...> copy = whole;
    detail::for_each_parameter(copy, [&](auto& each, std::size_t index) {
      if (index == number) seed(each);
    });
    return detail::bind_transforms_for<T>(copy, lengths, distances);
  };
  return [&]<std::size_t... P>(std::index_sequence<P...>) {
    return seeds<decltype(seeded(0)), Lists, Count, Folded>{{seeded(Lists + P)...}};
  }(std::make_index_sequence<Count>{});
}

// It was checked, and so was what its rows see.
template <bool Learning, class T, class... Parts, class Seen>
auto bind_backward(const mechanism<Parts...>& whole, const shapes& lengths, std::span<const text> texts, const Seen& seen,
                   angle_tables<T>& tables) {
  constexpr std::size_t lists = Learning ? row_parameters<Parts...> : 0, count = Learning ? transform_parameters<Parts...> : 0,
                        folded = Learning ? count_folded<Parts...>() : 0;
  constexpr index_t padding = tile_shape<T>::backward_key_rows;
  const reach distances = detail::distances_of(seen, padding, [](const auto& each) { return *each; });
  auto of_texts = detail::bind<T>(whole, lengths, texts, padding, detail::bind_rows<T>(whole, lengths, texts, tables), seen);
  auto learned_numbers = detail::bind_seeds<T, lists, count, folded>(whole, lengths, distances);
  return bound_backward<typename decltype(of_texts)::value_type, decltype(learned_numbers)>{std::move(of_texts),
                                                                                            std::move(learned_numbers)};
}

// The derivatives by the learned numbers of a sentence, d_parameters[number][head], and [number][channel] for row parts, before any was
// added: a list for every number that is to be differentiated by.
template <bool Learning, class... Parts>
std::vector<std::vector<double>> no_derivatives(const mechanism<Parts...>& whole, const shapes& lengths) {
  std::vector<std::vector<double>> none;
  const auto one = [&]<class P>(const P&) {
    const auto size = std::size_t(is_rows<P> ? lengths.channels : lengths.heads);
    none.insert(none.end(), parameter_count<P>, std::vector<double>(size));
  };
  if constexpr (Learning) std::apply([&](const auto&... part) { (one(part), ...); }, detail::parts_of(whole));
  return none;
}

// The backward pass of a sentence: writes the gradients of the texts' own tokens, and adds to d_parameters.
template <device D, class... Parts, class Bound, class Tensors>
void differentiate_texts(const D& d, const mechanism<Parts...>& whole, Bound bound, const Tensors& tensors,
                         std::span<std::vector<double>> d_parameters) {
  auto attending = detail::without_negligible(d, whole, std::move(bound.texts), tensors);
  const auto each = detail::bound_texts(attending, tensors, [](const auto&) { return true; });
  detail::differentiate(d, std::span(each), bound.learned_numbers, d_parameters);
}
// The same of all tokens: those of no text have gradients of 0.
template <device D, class... Parts, class Bound, class Tensors>
void differentiate_sentence(const D& d, const mechanism<Parts...>& whole, Bound bound, const Tensors& tensors,
                            std::span<const text> texts, std::span<std::vector<double>> d_parameters) {
  detail::fill_between(d, tensors.d_query, texts, &text::queries, {});
  detail::fill_between(d, tensors.d_key, texts, &text::keys, {});
  detail::fill_between(d, tensors.d_value, texts, &text::keys, {});
  detail::differentiate_texts(d, whole, std::move(bound), tensors, d_parameters);
}

}  // namespace detail
LONGSPAN_NAMESPACE_END

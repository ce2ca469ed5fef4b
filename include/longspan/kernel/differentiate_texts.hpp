#pragma once

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
#include <longspan/tile/shape.hpp>
#include <longspan/transform/reach.hpp>

LONGSPAN_NAMESPACE_BEGIN
namespace detail {

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

// The gradients of texts, of their own rows and keys alone. Adds to d_parameters. `taking` is the mechanism with its takers; begin() is
// called before anything is written.
template <bool Learning, device D, class... Parts, class... Taking, class Tensors, class Begin>
void differentiate_texts(const D& d, const mechanism<Parts...>& whole, const mechanism<Taking...>& taking, const Tensors& tensors,
                         const shapes& lengths, std::span<const text> texts, std::vector<std::vector<double>>& d_parameters,
                         const Begin& begin) {
  using T = typename Tensors::compute;
  constexpr std::size_t lists = Learning ? row_parameters<Parts...> : 0, count = Learning ? transform_parameters<Parts...> : 0,
                        folded = Learning ? count_folded<Parts...>() : 0;
  constexpr index_t padding = tile_shape<T>::backward_key_rows;
  auto bound = detail::bind<T>(taking, lengths, texts, padding);
  const auto learned_numbers = detail::bind_seeds<T, lists, count, folded>(
      taking, lengths, detail::distances_of(bound, padding, [](const auto& one) { return *one.seen; }));
  begin();
  auto attending = detail::without_negligible(d, whole, std::move(bound), tensors);
  const auto each = detail::bound_texts(attending, tensors, [](const auto&) { return true; });
  detail::differentiate(d, std::span(each), learned_numbers, d_parameters);
}

}  // namespace detail
LONGSPAN_NAMESPACE_END

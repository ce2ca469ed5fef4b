#pragma once

#include <cstddef>
#include <tuple>
#include <utility>
#include <vector>

#include <longspan/core/shapes.hpp>
#include <longspan/mechanism.hpp>
#include <longspan/mechanism/distance_learner.hpp>
#include <longspan/mechanism/parameters_of.hpp>
#include <longspan/tensor/aliasing.hpp>
#include <longspan/tensor/view.hpp>

LONGSPAN_NAMESPACE_BEGIN
namespace detail {

// Parts that read tensors beside the queries and keys, and write gradients of them. Such a part offers for_each_tensor(visit), which calls
// visit(name, view) for what it reads, and for_each_gradient(visit) for what a backward pass writes. Then `taker<T>(lengths)` is what
// stands in for it in a backward pass: a transform whose row functions take gradients (mechanism/composed.hpp), and which offers
// begin_gradient(), called when everything was checked, and finish_gradient(), called when all rows have passed. Where learned numbers are
// differentiated by, transforms whose numbers count by distance have takers, too.

template <class P>
concept reads_tensors = requires(const P& part) { part.for_each_tensor([](auto, auto) {}); };
template <class P>
concept writes_gradients = requires(const P& part) { part.for_each_gradient([](auto, auto) {}); };

template <bool Learning, class P>
inline constexpr bool has_taker = writes_gradients<P> || (Learning && learns_by_distance<P>);

// The mechanism with the takers of its parts; itself where it has none.
template <bool Learning, class T, class... Parts>
decltype(auto) with_takers(const mechanism<Parts...>& whole, const shapes& lengths) {
  if constexpr (is_sum<Parts...>) {
    return detail::remade(whole, [&](const auto& summand) { return detail::with_takers<Learning, T>(summand, lengths); });
  } else if constexpr ((has_taker<Learning, Parts> || ...)) {
    return detail::remade(whole, [&]<class P>(const P& part) {
      if constexpr (writes_gradients<P>)
        return part.template taker<T>(lengths);
      else if constexpr (has_taker<Learning, P>)
        return distance_learner<T, P>{part, lengths.heads};
      else
        return part;
    });
  } else {
    return (whole);
  }
}

// The derivatives by all learned numbers, in the order of the sentences, from those by the numbers that are left where takers stand in.
template <bool Learning, class... Parts>
std::vector<std::vector<double>> with_those_of_takers(const mechanism<Parts...>& taking,
                                                      std::vector<std::vector<double>> others) {
  std::vector<std::vector<double>> all;
  auto next = others.begin();
  const auto one = [&]<class P>(const P& part) {
    if constexpr (requires { part.derivatives(); })
      for (auto& list : part.derivatives()) all.push_back(std::move(list));
    for (std::size_t n = 0; n < parameter_count<P>; ++n) all.push_back(std::move(*next++));
  };
  if constexpr (Learning) std::apply([&](const auto&... each) { (one(each), ...); }, detail::parts_of(taking));
  return all;
}

template <class... Parts>
void begin_gradients(const mechanism<Parts...>& whole) {
  const auto one = [](const auto& part) {
    if constexpr (requires { part.begin_gradient(); }) part.begin_gradient();
  };
  std::apply([&](const auto&... each) { (one(each), ...); }, detail::parts_of(whole));
}
template <class... Parts>
void finish_gradients(const mechanism<Parts...>& whole) {
  const auto one = [](const auto& part) {
    if constexpr (requires { part.finish_gradient(); }) part.finish_gradient();
  };
  std::apply([&](const auto&... each) { (one(each), ...); }, detail::parts_of(whole));
}

// Calls visit(name, view) for every tensor that the parts read.
template <class... Parts, class Visit>
void for_each_part_tensor(const mechanism<Parts...>& whole, Visit visit) {
  const auto one = [&]<class P>(const P& part) {
    if constexpr (reads_tensors<P>) part.for_each_tensor(visit);
  };
  std::apply([&](const auto&... each) { (one(each), ...); }, detail::parts_of(whole));
}

// The same for every gradient that they write, as visit(name, view, number), counted from 0.
template <class... Parts, class Visit>
void for_each_part_gradient(const mechanism<Parts...>& whole, Visit visit) {
  index_t number = 0;
  const auto one = [&]<class P>(const P& part) {
    if constexpr (writes_gradients<P>)
      part.for_each_gradient([&](const char* name, const auto& gradient) { visit(name, gradient, number++); });
  };
  std::apply([&](const auto&... each) { (one(each), ...); }, detail::parts_of(whole));
}

// Throws shape_error where a tensor that is written lies on one that a part reads.
template <class... Parts, class S>
void require_apart_from_parts(const mechanism<Parts...>& whole, const char* name, const view<S>& written) {
  for_each_part_tensor(whole, [&](const char* read, const auto& tensor) { require_apart(name, written, read, tensor); });
}

// Throws shape_error where a gradient that a part writes lies on any other tensor of a backward pass, or the other gradients on one that a
// part reads.
template <class... Parts, class Tensors>
void require_part_gradients_apart(const mechanism<Parts...>& whole, const Tensors& tensors) {
  for_each_part_gradient(whole, [&](const char* name, const auto& written, index_t number) {
    const char* const reason = "a gradient needs memory of its own";
    const auto apart = [&](const char* other, const auto& tensor) { require_apart(name, written, other, tensor, reason); };
    tensors.for_each_read(apart), tensors.for_each_gradient(apart);
    for_each_part_tensor(whole, apart);
    for_each_part_gradient(whole, [&](const char* other, const auto& tensor, index_t its_number) {
      if (its_number > number)
        require_apart(name, written, other, tensor, "every part needs a gradient of its own, in each summand of a sum, too");
    });
  });
  tensors.for_each_gradient([&](const char* name, const auto& written) { require_apart_from_parts(whole, name, written); });
}

}  // namespace detail
LONGSPAN_NAMESPACE_END

#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <stdexcept>
#include <tuple>
#include <type_traits>
#include <typeinfo>
#include <utility>
#include <vector>

#include <longspan/any/mechanism.hpp>
#include <longspan/any/sentence.hpp>
#include <longspan/parameter/visit_lists.hpp>

LONGSPAN_NAMESPACE_BEGIN
namespace detail {

// The lists of a mechanism's learned numbers: its own, or those of a copy, to read.
template <class S>
struct written_lists {
  any_sentence<S>& of;
  std::vector<std::span<double>> lists = of.learned();
  explicit written_lists(any_mechanism<S>& whole) : of(whole.inside_to_write()) {}
};
template <class S>
struct read_lists {
  std::shared_ptr<any_sentence<S>> copy;
  const any_sentence<S>& of = *copy;
  std::vector<std::span<const double>> lists;
  explicit read_lists(const any_mechanism<S>& whole) : copy(whole.inside().clone()) {
    for (const auto& list : copy->learned()) lists.emplace_back(list);
  }
};
template <class S>
written_lists<S> lists_in(any_mechanism<S>& whole) {
  return written_lists<S>(whole);
}
template <class S>
read_lists<S> lists_in(const any_mechanism<S>& whole) {
  return read_lists<S>(whole);
}

template <class First, class... Others>
void require_one_sentence(const First& first, const Others&... others) {
  if (!((typeid(first.of) == typeid(others.of)) && ...))
    throw std::invalid_argument(
        "for_each_learned: visits the learned numbers of several mechanisms together if their sentences are "
        "of one type");
}

template <class First, std::size_t... Other, class Rest>
void visit_any_learned(First& first, std::index_sequence<Other...>, const Rest& rest) {
  const auto all = [&](const auto&... each) {
    detail::require_one_sentence(each...);
    detail::visit_lists(std::get<sizeof...(Other)>(rest), each.lists...);
  };
  all(detail::lists_in(first), detail::lists_in(std::get<Other>(rest))...);
}

}  // namespace detail

// Calls visit(number) with each learned number of a mechanism that is chosen at run time, as for_each_learned of a sentence does
// (mechanism/parameters.hpp); of several, whose sentences are of one type, with a number of each: else std::invalid_argument, before
// anything is visited.
//
//   for_each_learned(mechanism, gradient.d_mechanism, [&](double& number, double slope) { number -= rate * slope; });
template <class S, class... MechanismsAndVisit>
  requires(sizeof...(MechanismsAndVisit) > 0)
void for_each_learned(any_mechanism<S>& whole, MechanismsAndVisit&&... more) {
  detail::visit_any_learned(whole, std::make_index_sequence<sizeof...(more) - 1>{}, std::forward_as_tuple(more...));
}
template <class S, class... MechanismsAndVisit>
  requires(sizeof...(MechanismsAndVisit) > 0)
void for_each_learned(const any_mechanism<S>& whole, MechanismsAndVisit&&... more) {
  detail::visit_any_learned(whole, std::make_index_sequence<sizeof...(more) - 1>{}, std::forward_as_tuple(more...));
}
template <class S, class... MechanismsAndVisit>
  requires(sizeof...(MechanismsAndVisit) > 0)
void for_each_learned(any_mechanism<S>&& whole, MechanismsAndVisit&&... more) {
  longspan::for_each_learned(whole, more...);
}

LONGSPAN_NAMESPACE_END

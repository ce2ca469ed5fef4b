#pragma once

#include <concepts>
#include <cstdint>

#include <longspan/core/index.hpp>
#include <longspan/core/interval.hpp>
#include <longspan/core/key_set.hpp>

LONGSPAN_NAMESPACE_BEGIN
namespace detail {

// What is at hand of a set: the keys that are in the tensor, counted from its first. Refers to the set.
template <key_set Keys>
struct at_hand {
  const Keys* whole;
  interval tensor;  // the positions of its keys

  constexpr interval hull() const { return counted(intersect(whole->hull(), tensor)); }
  constexpr std::uint64_t bits(index_t key) const {
    key += tensor.first;
    const interval some = intersect(whole->hull(), tensor);
    if constexpr (std::same_as<Keys, interval>) return some.bits(key);
    return key + 64 <= some.first || some.last <= key ? 0 : whole->bits(key) & tensor.bits(key);
  }
  constexpr index_t count() const {
    index_t keys = 0;
    detail::for_each_piece(*this, {0, tensor.size()}, [&](interval, index_t some) { keys += some; });
    return keys;
  }
  constexpr bool has_few_runs() const { return detail::has_few_runs(*whole); }
  constexpr bool covers(interval some) const {
    return 0 <= some.first && some.last <= tensor.size() &&
           detail::covers(*whole, interval{tensor.first + some.first, tensor.first + some.last});
  }
  template <class Visit>
  constexpr void for_each_run(interval bounds, Visit visit) const {
    detail::for_each_run(*whole, intersect({tensor.first + bounds.first, tensor.first + bounds.last}, tensor),
                         [&](interval run) { visit(counted(run)); });
  }

 private:
  constexpr interval counted(interval run) const { return {run.first - tensor.first, run.last - tensor.first}; }
};

template <class Keys>
inline constexpr bool knows_its_runs<at_hand<Keys>> = true;

}  // namespace detail
LONGSPAN_NAMESPACE_END

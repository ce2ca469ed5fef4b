#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <concepts>
#include <cstddef>
#include <cstdint>

#include <longspan/core/index.hpp>
#include <longspan/core/interval.hpp>

LONGSPAN_NAMESPACE_BEGIN

// What a row sees, as a mask may answer: a set of keys, by position in the text. `hull()` is an interval that holds them all, `count()`
// their number, and bit b of `bits(key)` says whether key + b is one of them. It is asked for keys from 63 before the first of the hull up
// to its last.
template <class Keys>
concept key_set = std::copy_constructible<Keys> && requires(const Keys& keys, index_t key) {
  { keys.hull() } -> std::same_as<interval>;
  { keys.bits(key) } -> std::same_as<std::uint64_t>;
  { keys.count() } -> std::convertible_to<index_t>;
};

namespace detail {

// Keys are packed and looked at in panels of 64, on every instruction set: what a row sees of a panel is one word of bits.
inline constexpr index_t panel_keys = 64;

// Calls visit(run) for every run of ones among 64 bits, in ascending order.
template <class Visit>
constexpr void for_each_run_of_bits(std::uint64_t bits, Visit visit) {
  while (bits != 0) {
    const index_t first = std::countr_zero(bits), last = first + std::countr_one(bits >> first);
    visit(interval{first, last});
    bits &= ~interval{0, last}.bits(0);
  }
}

// Calls visit(run) for intervals that together are the keys of a set within some bounds: in ascending order, none twice.
template <class Visit>
constexpr void for_each_run(interval keys, interval bounds, Visit visit) {
  if (const interval run = intersect(keys, bounds); !run.empty()) visit(run);
}
template <key_set Keys, class Visit>
constexpr void for_each_run(const Keys& keys, interval bounds, Visit visit) {
  if constexpr (requires { keys.for_each_run(bounds, visit); }) {
    keys.for_each_run(bounds, visit);
  } else {
    bounds = intersect(keys.hull(), bounds);
    for (index_t key = bounds.first; key < bounds.last; key += 64)
      for_each_run_of_bits(keys.bits(key) & bounds.bits(key),
                           [&](interval run) { visit(interval{key + run.first, key + run.last}); });
  }
}

// Whether the set is known to hold all of some keys. One that holds as many keys as its hull is its hull.
template <key_set Keys>
constexpr bool covers(const Keys& keys, interval some) {
  if constexpr (requires { keys.covers(some); }) {
    return keys.covers(some);
  } else {
    const interval whole = keys.hull();
    return whole.first <= some.first && some.last <= whole.last && index_t(keys.count()) == whole.size();
  }
}

template <key_set Keys>
constexpr bool contains(const Keys& keys, index_t key) {
  return keys.hull().contains(key) && (keys.bits(key) & 1) != 0;
}

// The keys of a few intervals, which may come in any order and overlap.
template <std::size_t N>
struct any_of {
  std::array<interval, N> runs;

  constexpr interval hull() const {
    interval whole;
    for (const interval& run : runs) whole = detail::hull(whole, run);
    return whole;
  }
  constexpr std::uint64_t bits(index_t key) const {
    std::uint64_t all = 0;
    for (const interval& run : runs) all |= run.bits(key);
    return all;
  }
  constexpr index_t count() const {
    index_t keys = 0;
    for_each_run(hull(), [&](interval run) { keys += run.size(); });
    return keys;
  }
  constexpr bool covers(interval some) const {
    return std::ranges::any_of(runs, [=](interval run) { return run.first <= some.first && some.last <= run.last; });
  }
  // Takes, time and again, the run that begins first after what was taken.
  template <class Visit>
  constexpr void for_each_run(interval bounds, Visit visit) const {
    for (interval next{bounds.first, bounds.first}; next.first < bounds.last;) {
      const index_t taken = next.last;
      next = {bounds.last, bounds.last};
      for (const interval& run : runs)
        if (run.last > std::max(run.first, taken) && std::max(run.first, taken) < next.first)
          next = {std::max(run.first, taken), std::min(run.last, bounds.last)};
      if (!next.empty()) visit(next);
    }
  }
};

// The keys that two sets share. Hull and number are counted once.
template <key_set A, key_set B>
class both {
 public:
  constexpr both(const A& a, const B& b) : a_(a), b_(b) {
    for_each_run(intersect(a.hull(), b.hull()), [&](interval run) { hull_ = detail::hull(hull_, run), count_ += run.size(); });
  }
  constexpr interval hull() const { return hull_; }
  constexpr std::uint64_t bits(index_t key) const { return a_.bits(key) & b_.bits(key); }
  constexpr index_t count() const { return count_; }
  constexpr bool covers(interval some) const { return detail::covers(a_, some) && detail::covers(b_, some); }
  template <class Visit>
  constexpr void for_each_run(interval bounds, Visit visit) const {
    detail::for_each_run(a_, bounds, [&](interval run) { detail::for_each_run(b_, run, visit); });
  }

 private:
  A a_;
  B b_;
  interval hull_;
  index_t count_ = 0;
};

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
    for_each_run({0, tensor.size()}, [&](interval run) { keys += run.size(); });
    return keys;
  }
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

// Intersections. Intervals stay intervals.
template <std::size_t N>
constexpr any_of<N> intersect(any_of<N> few, interval bounds) {
  for (interval& run : few.runs) run = intersect(run, bounds);
  return few;
}
template <std::size_t N>
constexpr any_of<N> intersect(interval bounds, const any_of<N>& few) {
  return intersect(few, bounds);
}
template <key_set A, key_set B>
constexpr both<A, B> intersect(const A& a, const B& b) {
  return {a, b};
}

template <key_set Keys>
constexpr Keys intersection(const Keys& keys) {
  return keys;
}
template <key_set A, key_set B, key_set... More>
constexpr auto intersection(const A& a, const B& b, const More&... more) {
  return detail::intersection(detail::intersect(a, b), more...);
}

}  // namespace detail

LONGSPAN_NAMESPACE_END

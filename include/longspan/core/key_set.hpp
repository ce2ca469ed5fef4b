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
// their number, and bit b of `bits(key)` says whether key + b is one of them. `key` is at least 0, at most 63 before the hull's first key
// and not beyond its last. All three are asked more than once for a row: a set keeps its count rather than count anew.
template <class Keys>
concept key_set = std::copy_constructible<Keys> && requires(const Keys& keys, index_t key) {
  { keys.hull() } -> std::same_as<interval>;
  { keys.bits(key) } -> std::convertible_to<std::uint64_t>;
  { keys.count() } -> std::convertible_to<index_t>;
};

namespace detail {

// Keys are packed and looked at in panels of 64, on every instruction set: what a row sees of a panel is one word of bits.
inline constexpr index_t panel_keys = 64;

// The library's own sets know their runs, and what they cover, without looking at bits.
template <class Keys>
inline constexpr bool knows_its_runs = false;

// Calls visit(run) for every run of ones among 64 bits, in ascending order.
template <class Visit>
constexpr void for_each_run_of_bits(std::uint64_t bits, Visit visit) {
  while (bits != 0) {
    const index_t first = std::countr_zero(bits), last = first + std::countr_one(bits >> first);
    visit(interval{first, last});
    bits &= ~interval{0, last}.bits(0);
  }
}

// A set of as many keys as its hull has.
template <key_set Keys>
constexpr bool is_its_hull(const Keys& keys) {
  return index_t(keys.count()) == keys.hull().size();
}

// Calls visit(run) for intervals that together are the keys of a set within some bounds: in ascending order, none twice.
template <class Visit>
constexpr void for_each_run(interval keys, interval bounds, Visit visit) {
  if (const interval run = intersect(keys, bounds); !run.empty()) visit(run);
}
template <key_set Keys, class Visit>
constexpr void for_each_run(const Keys& keys, interval bounds, Visit visit) {
  if constexpr (knows_its_runs<Keys>) {
    keys.for_each_run(bounds, visit);
  } else {
    bounds = intersect(keys.hull(), bounds);
    if (detail::is_its_hull(keys)) return detail::for_each_run(bounds, bounds, visit);
    for (index_t key = bounds.first; key < bounds.last; key += 64)
      for_each_run_of_bits(keys.bits(key) & bounds.bits(key),
                           [&](interval run) { visit(interval{key + run.first, key + run.last}); });
  }
}

// Whether a set is looked at run by run. The library's own sets say so; another has one run or any number.
template <key_set Keys>
constexpr bool has_few_runs(const Keys& keys) {
  if constexpr (knows_its_runs<Keys>)
    return keys.has_few_runs();
  else
    return detail::is_its_hull(keys);
}

// Calls visit(piece, count) for intervals that together hold the keys of a set within some bounds, and how many each holds: for the runs of
// a set that has few, otherwise for the hulls of 64 keys at a time. A row of random bits has as many runs as half of its keys.
template <key_set Keys, class Visit>
constexpr void for_each_piece(const Keys& keys, interval bounds, Visit visit) {
  bounds = intersect(keys.hull(), bounds);
  if (detail::has_few_runs(keys)) return detail::for_each_run(keys, bounds, [&](interval run) { visit(run, run.size()); });
  for (index_t key = bounds.first; key < bounds.last; key += 64)
    if (const std::uint64_t bits = keys.bits(key) & bounds.bits(key); bits != 0)
      visit(interval{key + std::countr_zero(bits), key + 64 - std::countl_zero(bits)}, index_t(std::popcount(bits)));
}

// Whether the set is known to hold all of some keys.
template <key_set Keys>
constexpr bool covers(const Keys& keys, interval some) {
  if constexpr (knows_its_runs<Keys>) {
    return keys.covers(some);
  } else {
    const interval whole = keys.hull();
    return whole.first <= some.first && some.last <= whole.last && detail::is_its_hull(keys);
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
  static constexpr bool has_few_runs() { return true; }
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

template <std::size_t N>
inline constexpr bool knows_its_runs<any_of<N>> = true;

// The keys that two sets share. Hull and number are counted once.
template <key_set A, key_set B>
class both {
 public:
  constexpr both(const A& a, const B& b) : a_(a), b_(b), hull_(intersect(a.hull(), b.hull())) {
    interval all;
    detail::for_each_piece(*this, hull_, [&](interval piece, index_t keys) { all = detail::hull(all, piece), count_ += keys; });
    hull_ = all;
  }
  constexpr interval hull() const { return hull_; }
  constexpr std::uint64_t bits(index_t key) const { return a_.bits(key) & b_.bits(key); }
  constexpr index_t count() const { return count_; }
  constexpr bool has_few_runs() const { return detail::has_few_runs(a_) && detail::has_few_runs(b_); }
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

template <class A, class B>
inline constexpr bool knows_its_runs<both<A, B>> = true;

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

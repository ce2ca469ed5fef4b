#pragma once

#include <algorithm>
#include <array>
#include <cstddef>

#include <longspan/core/index.hpp>

LONGSPAN_NAMESPACE_BEGIN

// The keys first <= j < last; empty when last <= first. A mask answers with one, or with a std::array of a few.
struct interval {
  index_t first = 0;
  index_t last = 0;

  constexpr bool empty() const { return last <= first; }
  constexpr index_t size() const { return empty() ? 0 : last - first; }
  constexpr bool contains(index_t j) const { return first <= j && j < last; }
  constexpr bool operator==(const interval&) const = default;
};

constexpr interval intersect(interval a, interval b) { return {std::max(a.first, b.first), std::min(a.last, b.last)}; }

// The smallest interval that holds both; an empty one adds nothing.
constexpr interval hull(interval a, interval b) {
  if (a.empty()) return b.empty() ? interval{} : b;
  return b.empty() ? a : interval{std::min(a.first, b.first), std::max(a.last, b.last)};
}

// A few intervals in ascending order, none overlapping another, empty ones anywhere.
template <std::size_t N>
using intervals = std::array<interval, N>;

template <std::size_t N>
constexpr index_t count(const intervals<N>& runs) {
  index_t sum = 0;
  for (const interval& run : runs) sum += run.size();
  return sum;
}

template <std::size_t N>
constexpr interval hull(const intervals<N>& runs) {
  interval whole;
  for (const interval& run : runs) whole = hull(whole, run);
  return whole;
}

template <std::size_t N>
constexpr bool contains(const intervals<N>& runs, index_t j) {
  return std::ranges::any_of(runs, [=](const interval& run) { return run.contains(j); });
}

template <std::size_t N>
constexpr intervals<N> intersect(intervals<N> runs, interval bounds) {
  for (interval& run : runs) run = intersect(run, bounds);
  return runs;
}

// Sorts and unites what a mask wrote down in any order, so that no key is counted twice.
template <std::size_t N>
constexpr intervals<N> disjoint(intervals<N> runs) {
  std::ranges::sort(runs, {}, &interval::first);
  index_t reached = runs[0].empty() ? runs[0].first : runs[0].last;
  for (std::size_t r = 1; r < N; ++r) {
    runs[r].first = std::max(runs[r].first, reached);
    if (!runs[r].empty()) reached = runs[r].last;
  }
  return runs;
}

// The keys in both. Two lists of A and B runs share at most A + B - 1 of them.
template <std::size_t A, std::size_t B>
constexpr intervals<A + B - 1> intersect(const intervals<A>& a, const intervals<B>& b) {
  intervals<A + B - 1> both{};
  std::size_t found = 0;
  for (const interval& left : a)
    for (const interval& right : b)
      if (const interval shared = intersect(left, right); !shared.empty()) both[found++] = shared;
  return both;
}

LONGSPAN_NAMESPACE_END

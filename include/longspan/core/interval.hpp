#pragma once

#include <algorithm>
#include <cstdint>

#include <longspan/core/index.hpp>

LONGSPAN_NAMESPACE_BEGIN

// The keys first <= j < last, by position in the text; none where last <= first. What most masks answer with (mask/concept.hpp).
struct interval {
  index_t first = 0;
  index_t last = 0;

  constexpr bool empty() const { return last <= first; }
  constexpr index_t size() const { return empty() ? 0 : last - first; }
  constexpr bool contains(index_t j) const { return first <= j && j < last; }
  constexpr bool operator==(const interval&) const = default;

  // An interval is a set of keys (core/key_set.hpp), once it was cut to those that exist.
  constexpr interval hull() const { return empty() ? interval{} : *this; }
  constexpr index_t count() const { return size(); }
  constexpr std::uint64_t bits(index_t key) const {
    constexpr std::uint64_t all = ~std::uint64_t(0);
    if (first <= key && key + 64 <= last) return all;
    if (last <= key || key + 64 <= first || empty()) return 0;
    const std::uint64_t head = first <= key ? all : all << (first - key), tail = last >= key + 64 ? all : ~(all << (last - key));
    return head & tail;
  }
};

namespace detail {

constexpr interval intersect(interval a, interval b) { return {std::max(a.first, b.first), std::min(a.last, b.last)}; }

// The smallest interval that holds both; an empty one adds nothing.
constexpr interval hull(interval a, interval b) {
  if (a.empty()) return b.hull();
  return b.empty() ? a : interval{std::min(a.first, b.first), std::max(a.last, b.last)};
}

// Calls visit(part) for the parts that the multiples of a number cut an interval into, one after the other.
template <class Visit>
constexpr void cut_at_multiples(interval all, index_t number, Visit visit) {
  while (!all.empty()) {
    const interval part{all.first, std::min(all.first - all.first % number + number, all.last)};
    visit(part);
    all.first = part.last;
  }
}

}  // namespace detail

LONGSPAN_NAMESPACE_END

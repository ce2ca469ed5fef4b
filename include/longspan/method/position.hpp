#pragma once

#include <algorithm>
#include <limits>

#include <longspan/core/index.hpp>

LONGSPAN_NAMESPACE_BEGIN
namespace detail {

// The positions of the methods: where a row turns, by its place (position/mapped_rotation.hpp). Types with names, so that a cache can
// tell whether two sentences turn keys alike.

struct one_position {
  index_t position;
  index_t operator()(index_t) const { return position; }
  bool operator==(const one_position&) const = default;
};

struct line_of_positions {
  double slope, begin;
  double operator()(index_t place) const { return slope * double(place) + begin; }
  bool operator==(const line_of_positions&) const = default;
};

// The place, from `most` on that.
struct bounded_position {
  index_t most;
  index_t operator()(index_t place) const { return std::min(place, most); }
  bool operator==(const bounded_position&) const = default;
};

// What is left of a place that is counted in pieces of some size, also of one before the first key.
inline index_t place_in(index_t size, index_t place) {
  const index_t rest = place % size;
  return rest < 0 ? rest + size : rest;
}

// The sum of two numbers that are not negative, or the largest index.
inline index_t bounded_sum(index_t a, index_t b) {
  return b > std::numeric_limits<index_t>::max() - a ? std::numeric_limits<index_t>::max() : a + b;
}

// floor(place / group) + shift.
struct grouped_position {
  index_t group, shift;
  index_t operator()(index_t place) const { return (place - detail::place_in(group, place)) / group + shift; }
  bool operator==(const grouped_position&) const = default;
};

// min(place mod chunk + shift, most).
struct position_in_chunk {
  index_t chunk, shift, most;
  index_t operator()(index_t place) const { return std::min(detail::bounded_sum(detail::place_in(chunk, place), shift), most); }
  bool operator==(const position_in_chunk&) const = default;
};

}  // namespace detail
LONGSPAN_NAMESPACE_END

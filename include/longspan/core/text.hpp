#pragma once

#include <span>

#include <longspan/core/index.hpp>
#include <longspan/core/interval.hpp>
#include <longspan/core/shapes.hpp>
#include <longspan/core/token.hpp>

LONGSPAN_NAMESPACE_BEGIN
namespace detail {

// One text of a call: which tokens of the tensors are its own, and where these stand in it.
struct text {
  index_t number = 0;                                    // of all texts of the call
  index_t batch = 0;                                     // along the batch axis of the tensors
  interval queries, keys;                                // along their token axes
  index_t first_query = 0, first_key = 0, all_keys = 0;  // absolute positions, see placement

  bool operator==(const text&) const = default;

  // Its lengths, as those of a call of its own.
  constexpr shapes lengths(shapes of_call) const {
    of_call.batch = 1;
    of_call.queries = queries.size(), of_call.keys = keys.size();
    of_call.first_query = first_query, of_call.first_key = first_key, of_call.all_keys = all_keys;
    return of_call;
  }

  // The places of its tokens at hand, and the token of one head at a place.
  constexpr interval query_places() const { return {first_query, first_query + queries.size()}; }
  constexpr interval key_places() const { return {first_key, first_key + keys.size()}; }
  constexpr token at(token::role as, index_t place, index_t head = 0) const {
    return {as, place, head, batch, number, keys.first - first_key + place};
  }

  // Whether masks that look at positions alone let its rows see what those of another see.
  constexpr bool stands_like(const text& other) const {
    return queries.size() == other.queries.size() && keys.size() == other.keys.size() && first_query == other.first_query &&
           first_key == other.first_key && all_keys == other.all_keys;
  }
};

// The hulls of the places of all texts' queries and keys.
struct places_of_texts {
  interval queries, keys;

  explicit constexpr places_of_texts(std::span<const text> texts) {
    for (const text& each : texts) queries = hull(queries, each.query_places()), keys = hull(keys, each.key_places());
  }
};

}  // namespace detail
LONGSPAN_NAMESPACE_END

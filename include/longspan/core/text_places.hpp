#pragma once

#include <vector>

#include <longspan/core/index.hpp>
#include <longspan/core/interval.hpp>
#include <longspan/core/shapes.hpp>
#include <longspan/core/token.hpp>

LONGSPAN_NAMESPACE_BEGIN
namespace detail {

// Where a text of a call stands, for tables of what row parts do to its tokens.
struct text_places {
  index_t text = 0, batch = 0;
  index_t first_key = 0;   // where place 0 is along the token axis of the key tensor; negative where it is not at hand
  interval queries, keys;  // the places of those at hand

  constexpr token at(token::role as, index_t place) const { return {as, place, 0, batch, text, first_key + place}; }
};

// The texts of a call, one for each number along the batch axis.
inline std::vector<text_places> texts_of(const shapes& lengths) {
  std::vector<text_places> texts;
  for (index_t b = 0; b < lengths.batch; ++b)
    texts.push_back({b, b, -lengths.first_key, lengths.query_positions(), lengths.key_positions()});
  return texts;
}

}  // namespace detail
LONGSPAN_NAMESPACE_END

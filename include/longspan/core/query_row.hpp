#pragma once

#include <longspan/core/index.hpp>

LONGSPAN_NAMESPACE_BEGIN

// A query row, as masks and transforms are given it. Places are counted in the row's own text; what reads a tensor beside the queries and
// keys finds its element by `batch`, `head`, `query` and `key(j)`.
struct query_row {
  index_t position = 0;  // of the query among all keys; negative where the queries begin before the keys
  index_t keys = 0;      // all of the text, also those that the row does not see
  index_t seen = 0;      // n: how many keys the row sees after all masks; 0 when a mask is given the row
  index_t head = 0;
  index_t heads = 1;
  index_t batch = 0;      // along the batch axis of the tensors: that of its text, or 0 where texts are packed
  index_t channels = 0;   // d: of the query and of each key
  index_t text = 0;       // the number of its text
  index_t query = 0;      // along the token axis of the query tensor
  index_t first_key = 0;  // where key 0 of the text is along the token axis of the key tensor; negative where it is not at hand

  // Where key j of the text is along the token axis of the key tensor.
  constexpr index_t key(index_t j) const { return first_key + j; }
};

LONGSPAN_NAMESPACE_END

#pragma once

#include <longspan/core/index.hpp>

LONGSPAN_NAMESPACE_BEGIN

// A query row, as masks and transforms are given it.
struct query_row {
  index_t position = 0;  // of the query among all keys; negative where the queries begin before the keys
  index_t keys = 0;      // all of them, also those that the row does not see
  index_t seen = 0;      // n: how many keys the row sees after all masks; 0 when a mask is given the row
  index_t head = 0;
  index_t heads = 1;
  index_t batch = 0;
  index_t channels = 0;  // d: of the query and of each key
};

LONGSPAN_NAMESPACE_END

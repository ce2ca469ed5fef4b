#pragma once

#include <longspan/core/index.hpp>

LONGSPAN_NAMESPACE_BEGIN

// What a mask and a transform are told of the query row they are asked about.
struct query_row {
  index_t position = 0;  // of the query among all keys; negative where the queries begin before the keys
  index_t keys = 0;      // all of them, also those that the row does not see
  index_t seen = 0;      // n of METHODS.md: how many keys the row sees after all masks (a mask itself still reads 0)
  index_t head = 0;
  index_t heads = 1;
  index_t batch = 0;
  index_t channels = 0;  // d: of the query and of each key
};

LONGSPAN_NAMESPACE_END

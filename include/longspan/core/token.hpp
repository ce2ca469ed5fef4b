#pragma once

#include <longspan/core/index.hpp>

LONGSPAN_NAMESPACE_BEGIN

// A token of one head, as row parts are given it: whose channels they prepare.
struct token {
  enum class role { query, key };
  role as = role::query;
  index_t place = 0;   // in its text; negative for queries that begin before the keys
  index_t head = 0;    // the query head or the key head
  index_t batch = 0;   // along the batch axis of the tensors: that of its text, or 0 where texts are packed
  index_t text = 0;    // the number of its text
  index_t number = 0;  // where its place is along the token axis of the key tensor, as query_row::key tells

  constexpr bool is_query() const { return as == role::query; }
};

LONGSPAN_NAMESPACE_END

#pragma once

#include <optional>

#include <longspan/core/index.hpp>

LONGSPAN_NAMESPACE_BEGIN

// Where the queries and the keys of a call stand in the whole text: absolute positions, in tokens. By default the keys are all
// there are and the queries are the last of them, as when decoding: first_query = all_keys - queries (negative where queries
// outnumber keys: the first rows then stand before every key). A part of the keys says so with first_key and all_keys, and is
// merged with the others.
struct placement {
  std::optional<index_t> first_query = {};
  index_t first_key = 0;
  std::optional<index_t> all_keys = {};
};

LONGSPAN_NAMESPACE_END

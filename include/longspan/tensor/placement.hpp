#pragma once

#include <optional>
#include <span>

#include <longspan/core/index.hpp>

LONGSPAN_NAMESPACE_BEGIN

// Where the queries and the keys of a call stand in their texts: absolute positions, in tokens. By default every row of the batch is a
// text, the keys are all there are, and the queries are the last of them, as when decoding: first_query = all_keys - queries (negative
// where queries outnumber keys: the first rows then stand before every key). A part of the keys says so with first_key and all_keys, and
// is merged with the others.
//
// Texts of different lengths come padded or packed, not both. Each has the output and the gradients that it has alone, to the bit, but for
// parts that read the text's number (dropout, and maps and masks that ask for it): its places, distances, n and what masks are told are its
// own, and its queries are the last of its keys.
//   padded   text b has the first key_lengths[b] keys and the first query_lengths[b] queries of its row of the batch; those of all rows
//            where a list is absent. Tokens beyond are never read; output and gradients there are 0, log_sum_exp is -infinity.
//   packed   texts lie one behind the other in tensors of batch 1: text t has the queries from query_starts[t] to query_starts[t + 1] and
//            the keys from key_starts[t] to key_starts[t + 1]. Starts have one number more than there are texts, ascend from 0, and end
//            with the tokens of the tensor.
// The lists are spans of the caller's memory, which must live until the call returns: of a placement with a name, the lists need one too.
// An empty text is legal. Throws shape_error, naming the text, for a length out of range or starts that do not ascend, for both kinds at
// once, and for texts together with first_query, first_key or all_keys, which are those of one text.
struct placement {
  std::optional<index_t> first_query = {};
  index_t first_key = 0;
  std::optional<index_t> all_keys = {};
  std::optional<std::span<const index_t>> key_lengths = {}, query_lengths = {};
  std::optional<std::span<const index_t>> query_starts = {}, key_starts = {};
};

LONGSPAN_NAMESPACE_END

#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>

#include <longspan/core/shape_error.hpp>
#include <longspan/core/shapes.hpp>
#include <longspan/core/text.hpp>
#include <longspan/tensor/checked.hpp>
#include <longspan/tensor/placement.hpp>
#include <longspan/tensor/view.hpp>
#include <longspan/tile/buffer.hpp>

LONGSPAN_NAMESPACE_BEGIN
namespace detail {

using token_counts = std::optional<std::span<const index_t>>;

// Of a padded batch: a length for each row, none beyond the tokens of the tensor.
inline void require_lengths(const std::string& name, const token_counts& counts, index_t batch, index_t tokens) {
  if (!counts) return;
  if (index_t(counts->size()) != batch)
    throw shape_error("placement: " + name + " needs a length for each text: " + std::to_string(counts->size()) + " and " +
                      std::to_string(batch));
  for (std::size_t b = 0; b < counts->size(); ++b)
    if ((*counts)[b] < 0 || (*counts)[b] > tokens)
      throw shape_error("placement: " + name + " of text " + std::to_string(b) + " must be from 0 to the tensor's " +
                        std::to_string(tokens) + " tokens, not " + std::to_string((*counts)[b]));
}

// Of texts that lie one behind the other.
inline void require_starts(const std::string& name, std::span<const index_t> starts, index_t tokens) {
  if (starts.empty()) throw shape_error("placement: " + name + " needs one number more than there are texts, not none");
  if (starts.front() != 0)
    throw shape_error("placement: " + name + " of text 0 must be 0, not " + std::to_string(starts.front()));
  for (std::size_t t = 1; t < starts.size(); ++t)
    if (starts[t] < starts[t - 1])
      throw shape_error("placement: " + name + " must ascend: text " + std::to_string(t - 1) + " would be from " +
                        std::to_string(starts[t - 1]) + " to " + std::to_string(starts[t]));
  if (starts.back() != tokens)
    throw shape_error("placement: " + name + " must end with the tensor's tokens: " + std::to_string(starts.back()) + " and " +
                      std::to_string(tokens));
}

inline void require_one_kind(const placement& where) {
  const bool padded = where.key_lengths || where.query_lengths, packed = where.query_starts || where.key_starts;
  if (padded && packed) throw shape_error("placement: texts are padded (lengths) or packed (starts), not both");
  if (packed && !(where.query_starts && where.key_starts))
    throw shape_error("placement: packed texts need both query_starts and key_starts");
  if ((padded || packed) && (where.first_query || where.first_key != 0 || where.all_keys))
    throw shape_error("placement: first_query, first_key and all_keys are those of one text, not of padded or packed ones");
}

inline text text_of(index_t number, index_t batch, interval queries, interval keys) {
  return {number, batch, queries, keys, keys.size() - queries.size(), 0, keys.size()};
}

inline buffer<text> packed_texts(const shapes& lengths, std::span<const index_t> queries, std::span<const index_t> keys) {
  require_starts("query_starts", queries, lengths.queries);
  require_starts("key_starts", keys, lengths.keys);
  if (queries.size() != keys.size())
    throw shape_error("placement: query_starts and key_starts differ in texts: " + std::to_string(queries.size() - 1) + " and " +
                      std::to_string(keys.size() - 1));
  if (lengths.batch != 1)
    throw shape_error("placement: packed texts lie in tensors of batch 1, not " + std::to_string(lengths.batch));
  buffer<text> texts;
  for (std::size_t t = 0; t + 1 < queries.size(); ++t)
    texts.push_back(text_of(index_t(t), 0, {queries[t], queries[t + 1]}, {keys[t], keys[t + 1]}));
  return texts;
}

inline buffer<text> padded_texts(const shapes& lengths, const token_counts& queries, const token_counts& keys) {
  require_lengths("query_lengths", queries, lengths.batch, lengths.queries);
  require_lengths("key_lengths", keys, lengths.batch, lengths.keys);
  buffer<text> texts;
  for (index_t b = 0; b < lengths.batch; ++b)
    texts.push_back(text_of(b, b, {0, queries ? (*queries)[std::size_t(b)] : lengths.queries},
                            {0, keys ? (*keys)[std::size_t(b)] : lengths.keys}));
  return texts;
}

// The texts of a call whose tensors have these lengths. Throws shape_error: see placement.
inline buffer<text> texts_of(const shapes& lengths, const placement& where) {
  require_one_kind(where);
  if (where.query_starts) return packed_texts(lengths, *where.query_starts, *where.key_starts);
  if (where.key_lengths || where.query_lengths) return padded_texts(lengths, where.query_lengths, where.key_lengths);
  buffer<text> texts;
  for (index_t b = 0; b < lengths.batch; ++b)
    texts.push_back({b, b, {0, lengths.queries}, {0, lengths.keys}, lengths.first_query, lengths.first_key, lengths.all_keys});
  return texts;
}

// The lengths of a call whose inputs fit each other, and its texts. Throws shape_error.
struct batch_of_texts {
  shapes lengths;
  buffer<text> texts;

  template <class Q, class K, class V>
  batch_of_texts(const view<Q>& q, const view<K>& k, const view<V>& v, const placement& where)
      : lengths(checked(q, k, v, where)), texts(texts_of(lengths, where)) {}
};

}  // namespace detail
LONGSPAN_NAMESPACE_END

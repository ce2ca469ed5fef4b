#pragma once

#include <longspan/core/text.hpp>

LONGSPAN_NAMESPACE_BEGIN
namespace detail {

// The tensors of a call that hold some queries and some keys: those from query `first_row` of the rank's own on, and from key `first_key`
// of all ranks' on. Texts count along the whole.
template <class Tensors>
struct piece_tensors : Tensors {
  index_t first_row, first_key;

  piece_tensors tokens_of(text of) const {
    of.queries = {of.queries.first - first_row, of.queries.last - first_row};
    of.keys = {of.keys.first - first_key, of.keys.last - first_key};
    return {Tensors::tokens_of(of), 0, 0};
  }
};
template <class Tensors>
piece_tensors(Tensors, index_t, index_t) -> piece_tensors<Tensors>;

}  // namespace detail
LONGSPAN_NAMESPACE_END

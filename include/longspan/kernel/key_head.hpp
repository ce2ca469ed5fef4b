#pragma once

#include <longspan/core/index.hpp>
#include <longspan/core/shapes.hpp>

LONGSPAN_NAMESPACE_BEGIN
namespace detail {

// One key head of the batch. The query rows that read it are numbered position by position, the heads of its group side by side.
struct key_head {
  index_t batch, head;

  // The n-th, counted through the batch.
  static key_head nth(const shapes& lengths, index_t n) { return {n / lengths.key_heads, n % lengths.key_heads}; }

  static index_t rows(const shapes& lengths) { return lengths.queries * lengths.group(); }
  index_t query_head(const shapes& lengths, index_t row) const { return head * lengths.group() + row % lengths.group(); }
  static index_t query(const shapes& lengths, index_t row) { return row / lengths.group(); }
};

}  // namespace detail
LONGSPAN_NAMESPACE_END

#pragma once

#include <longspan/core/index.hpp>
#include <longspan/core/shapes.hpp>

LONGSPAN_NAMESPACE_BEGIN
namespace detail {

// How many query rows of a text read a key head.
constexpr index_t group_rows(const shapes& lengths) { return lengths.queries * lengths.group(); }

// One key head of a text. The query rows that read it are numbered position by position, the heads of its group side by side.
template <class Text>
struct key_head {
  const Text* text;
  index_t head;

  const shapes& lengths() const { return text->mechanism.lengths; }
  index_t rows() const { return group_rows(lengths()); }
  index_t query_head(index_t row) const { return head * lengths().group() + row % lengths().group(); }
  index_t query(index_t row) const { return row / lengths().group(); }
};

}  // namespace detail
LONGSPAN_NAMESPACE_END

#pragma once

#include <tuple>

#include <longspan/core/query_row.hpp>
#include <longspan/mechanism/composed.hpp>

LONGSPAN_NAMESPACE_BEGIN
namespace detail {

// What becomes of the dot product of a prepared query and a prepared key: the score's scale, then the transforms in the order written.
template <class Transforms>
struct bound_transforms {
  double scale;
  Transforms transforms;

  // The function of one row's scores, which start from scale * dot product: by the definition.
  auto of_scores(const query_row& row) const {
    return std::apply([&](const auto&... each) { return composed{std::tuple{each(row)...}}; }, transforms);
  }

  // The same for the kernel, which starts from the dot product: function(factor * dot product). See tempered_function.
  auto of_products(const query_row& row) const {
    return std::apply([&](const auto&... each) { return detail::tempered(learned(scale), each(row)...); }, transforms);
  }
};

}  // namespace detail
LONGSPAN_NAMESPACE_END

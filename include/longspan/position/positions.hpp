#pragma once

#include <concepts>
#include <string>
#include <type_traits>
#include <utility>

#include <longspan/core/shape_error.hpp>
#include <longspan/core/shapes.hpp>
#include <longspan/core/token.hpp>
#include <longspan/tensor/broadcast.hpp>
#include <longspan/tensor/checked.hpp>
#include <longspan/tensor/traits.hpp>
#include <longspan/tensor/view.hpp>

LONGSPAN_NAMESPACE_BEGIN

// A map from a tensor, for rope{}.at(positions{ids}): the positions of the tokens of every text as an engine or a trainer brings them,
// (batch or 1, token), integers or floats. A tensor of rank 2, a vector where batch is 1, or a view of extents (1, 1, batch or 1, token).
// It is read where it lies, and must live as long as the mechanism is used. A token is found by its place along the token axis of the key
// tensor, a query too: where queries are the last tokens of the keys, theirs are the last ids. Throws shape_error where batch is neither 1
// nor that of the call, and where a query or a key stands before the first or beyond the last id.
template <class S>
struct positions {
  view<const S> ids;

  template <class Tensor>
    requires(!std::same_as<std::remove_cvref_t<Tensor>, positions>)
  explicit positions(Tensor&& tensor) : ids(detail::lasting_view_of(std::forward<Tensor>(tensor))) {}

  double operator()(const token& of) const {
    if (of.place < 0)
      throw shape_error("positions: a query of text " + std::to_string(of.text) + " stands before its keys, at place " +
                        std::to_string(of.place) + ", for which there is no position");
    if (of.number < 0 || of.number >= ids.extent[3])
      throw shape_error(std::string("positions: ") + (of.is_query() ? "a query" : "a key") + " is token " +
                        std::to_string(of.number) + " of the keys, and there are positions for " + std::to_string(ids.extent[3]));
    return static_cast<double>(ids.data[(ids.extent[2] == 1 ? 0 : of.batch) * ids.stride[2] + of.number * ids.stride[3]]);
  }

  void for_each_tensor(auto visit) const { visit("positions", ids); }
  void check(const shapes& lengths) const {
    detail::require_memory("positions", ids);
    if (ids.extent[0] != 1 || ids.extent[1] != 1)
      throw shape_error("positions are (batch or 1, token): the axes before must have extent 1, not " +
                        std::to_string(ids.extent[0]) + " and " + std::to_string(ids.extent[1]));
    if (ids.extent[2] != 1) detail::require_equal("positions", "key", "batch", ids.extent[2], lengths.batch);
  }

  static_assert(!std::same_as<S, bool> && requires(S id) { static_cast<double>(id); }, "positions are integers or floats");
};
template <class Tensor>
positions(Tensor&&) -> positions<detail::element_of<const std::remove_reference_t<Tensor>>>;

LONGSPAN_NAMESPACE_END

#pragma once

#include <longspan/core/config.hpp>
#include <longspan/core/query_row.hpp>
#include <longspan/core/shapes.hpp>
#include <longspan/transform/concept.hpp>

LONGSPAN_NAMESPACE_BEGIN
namespace detail {

// What stands in, in a backward pass, for a transform that has the gradient of its tensor written (mechanism/takers.hpp): the part, and
// where its gradient is summed meanwhile. part.taking(row, sums) is the function of a row that takes gradients.
template <class Part, class Sums>
struct gradient_taker {
  static constexpr stage order = Part::order;
  Part part;
  Sums sums;

  auto operator()(const query_row& row) const { return part.taking(row, sums); }
  auto prepare_bound() const
    requires requires { part.prepare_bound(); }
  {
    return part.prepare_bound();
  }
  void check(const shapes& lengths) const { part.check(lengths); }
  void begin_gradient() const { sums.begin(); }
  void finish_gradient() const { sums.finish(); }
};

}  // namespace detail
LONGSPAN_NAMESPACE_END

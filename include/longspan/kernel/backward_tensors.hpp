#pragma once

#include <longspan/tensor/view.hpp>

LONGSPAN_NAMESPACE_BEGIN
namespace detail {

// Inputs of one backward pass, what forward kept, the gradients that come in and those that go out. d_log_sum_exp has no extent where
// there is none.
template <class T, class Q, class K, class V, class O, class G, class DQ, class DK, class DV>
struct backward_tensors {
  using compute = T;
  view<const Q> query;
  view<const K> key;
  view<const V> value;
  view<const O> output;
  view<const T> log_sum_exp;
  view<const G> d_output;
  view<const T> d_log_sum_exp;
  view<DQ> d_query;
  view<DK> d_key;
  view<DV> d_value;

  bool with_log_sum_exp() const { return d_log_sum_exp.extent[3] != 0; }
};

}  // namespace detail
LONGSPAN_NAMESPACE_END

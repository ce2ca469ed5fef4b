#pragma once

#include <longspan/tensor/view.hpp>

LONGSPAN_NAMESPACE_BEGIN
namespace detail {

// Inputs and results of one forward pass, each in its own storage type, and the words that its products read. log_sum_exp has no extent
// where none is kept.
template <class Words, class Q, class K, class V, class Out>
struct forward_tensors {
  using words = Words;
  using key_number = K;
  view<const Q> query;
  view<const K> key;
  view<const V> value;
  view<Out> output;
  view<typename Words::compute> log_sum_exp;

  bool keeps_log_sum_exp() const { return log_sum_exp.extent[3] != 0; }
};

}  // namespace detail
LONGSPAN_NAMESPACE_END

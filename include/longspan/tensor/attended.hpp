#pragma once

#include <longspan/core/shapes.hpp>
#include <longspan/tensor/traits.hpp>

LONGSPAN_NAMESPACE_BEGIN

// What attention makes: output (batch, head, query, value_channel) and the natural log of each row's sum of exp(logits), sink included,
// (batch, head, query): what merge and backward need. A row that sees nothing, or whose every logit is -infinity, has output 0 and
// log_sum_exp -infinity, that of the sink where there is one.
template <class Output, class LogSumExp>
struct attended {
  Output output;
  LogSumExp log_sum_exp;
};

template <class Output, class LogSumExp>
attended(Output, LogSumExp) -> attended<Output, LogSumExp>;

namespace detail {

// New results of the rank and storage order of X, with storage S and log-sum-exp in the precision of the computation.
template <class X, class S>
auto make_attended(const shapes& lengths) {
  return attended{traits_of<X>::template make_output<S>(lengths), traits_of<X>::template make_log_sum_exp<compute_t<S>>(lengths)};
}

}  // namespace detail
LONGSPAN_NAMESPACE_END

#pragma once

#include <longspan/core/config.hpp>

LONGSPAN_NAMESPACE_BEGIN

// What attention makes: output (batch, head, query, value_channel) and the natural log of each row's sum of exp(logits), sink included,
// (batch, head, query): what merge and backward need. A row that sees nothing has output 0 and log_sum_exp -infinity.
template <class Output, class LogSumExp>
struct attended {
  Output output;
  LogSumExp log_sum_exp;
};

template <class Output, class LogSumExp>
attended(Output, LogSumExp) -> attended<Output, LogSumExp>;

LONGSPAN_NAMESPACE_END

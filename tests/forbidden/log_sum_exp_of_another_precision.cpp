// first error: log_sum_exp holds double where q does and float otherwise, and is written: it must not be const
#include <longspan/longspan.hpp>

void refused(longspan::view<double> q, longspan::view<float> log_sum_exp) {
  longspan::forward_into(longspan::dot_product{} | longspan::causal{}, q, q, q, q, log_sum_exp);
}

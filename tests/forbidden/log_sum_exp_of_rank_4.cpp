// expects: one number a row or token (log_sum_exp, forgetting) is (batch, head, token) or its last axes: rank 1 to 3
#include <longspan/longspan.hpp>

using tensor = Eigen::Tensor<float, 4>;

void refused(const tensor& q, const tensor& k, tensor& output, tensor& log_sum_exp) {
  longspan::forward_into(longspan::dot_product{} | longspan::causal{}, q, k, k, output, log_sum_exp);
}

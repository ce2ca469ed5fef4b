// expects: a tensor is (batch, head, token, channel) or misses leading axes: rank 2, 3 or 4
#include <longspan/longspan.hpp>

void refused(const Eigen::Tensor<float, 1>& q, const Eigen::Tensor<float, 2>& k) {
  longspan::forward(longspan::dot_product{} | longspan::causal{}, q, k, k);
}

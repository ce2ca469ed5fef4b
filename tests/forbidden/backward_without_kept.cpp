// first error: backward([device,] mechanism, q, k, v, kept, d_output[, placement]), where kept is what forward made: forward(mechanism, q, k, v), or attended{output, log_sum_exp} of tensors or views
#include <longspan/longspan.hpp>

void refused(const Eigen::MatrixXf& q, const Eigen::MatrixXf& d_output) {
  longspan::backward(longspan::dot_product{} | longspan::causal{}, q, q, q, d_output);
}

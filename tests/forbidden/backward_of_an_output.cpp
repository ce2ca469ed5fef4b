// first error: backward takes what forward made, after q, k and v: backward(mechanism, q, k, v, kept, d_output), where kept is forward(mechanism, q, k, v), or attended{output, log_sum_exp} of tensors or views
#include <longspan/longspan.hpp>

void refused(const Eigen::MatrixXf& q, const Eigen::MatrixXf& output, const Eigen::MatrixXf& d_output) {
  longspan::backward(longspan::dot_product{} | longspan::causal{}, q, q, q, output, d_output);
}

// first error: backward_into([device,] mechanism, q, k, v, kept, d_output, d_q, d_k, d_v[, placement]), where kept is what forward made
#include <longspan/longspan.hpp>

void refused(const Eigen::MatrixXf& q, const Eigen::MatrixXf& d_output, Eigen::MatrixXf& d_q) {
  longspan::backward_into(longspan::dot_product{} | longspan::causal{}, q, q, q, d_output, d_q, d_q, d_q);
}

// first error: forward_into([device,] mechanism, q, k, v, output[, log_sum_exp][, placement]): begins with a mechanism, parts joined by |, from a score to a mask, as in dot_product{} | causal{}
#include <longspan/longspan.hpp>

void refused(const Eigen::MatrixXf& q, Eigen::MatrixXf& output) {
  longspan::forward_into(q, q, q, longspan::dot_product{} | longspan::causal{}, output);
}

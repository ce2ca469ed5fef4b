// expects: one number a row or token (log_sum_exp, forgetting) is a vector, not a matrix
#include <longspan/longspan.hpp>

void refused(const Eigen::MatrixXf& q, Eigen::MatrixXf& output, Eigen::MatrixXf& log_sum_exp) {
  longspan::forward_into(longspan::dot_product{} | longspan::causal{}, q, q, q, output, log_sum_exp);
}

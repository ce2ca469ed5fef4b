// expects: the log_sum_exp of a matrix is a vector with an element for each query
#include <longspan/longspan.hpp>

void refused(const Eigen::MatrixXf& q, Eigen::MatrixXf& output, Eigen::MatrixXf& log_sum_exp) {
  longspan::forward_into(longspan::dot_product{} | longspan::causal{}, q, q, q, output, log_sum_exp);
}

// first error: forward_into([device,] mechanism, q, k, v, output[, log_sum_exp][, placement])
#include <longspan/longspan.hpp>

void refused(const Eigen::MatrixXf& q) { longspan::forward_into(longspan::dot_product{} | longspan::causal{}, q, q, q); }

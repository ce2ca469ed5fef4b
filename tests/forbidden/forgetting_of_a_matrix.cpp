// first error: one number a row or token (log_sum_exp, forgetting) is a vector, not a matrix
#include <longspan/longspan.hpp>

auto refused(const Eigen::MatrixXf& c) { return longspan::forgetting{c}; }

// first error: one number a row or token (log_sum_exp, forgetting) is (batch, head, token) or its last axes: rank 1 to 3
#include <longspan/longspan.hpp>

auto refused(const Eigen::Tensor<float, 4>& c) { return longspan::forgetting{c}; }

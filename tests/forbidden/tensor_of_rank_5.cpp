// expects: a tensor is (batch, head, token, channel) or misses leading axes: rank 2, 3 or 4
#include <longspan/tensor/eigen.hpp>

auto refused(const Eigen::Tensor<float, 5>& q) { return longspan::detail::view_of(q); }

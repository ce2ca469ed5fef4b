// expects: a part's gradient is written by the backward pass: it must not be const
#include <longspan/longspan.hpp>

auto refused(const Eigen::MatrixXf& numbers, const Eigen::MatrixXf& gradient) { return longspan::bias{numbers, gradient}; }

// first error: tensors hold float, double, Eigen::half or Eigen::bfloat16: bits in 16-bit words are read as view<const Eigen::bfloat16>{bfloat16_bits(pointer), extent, stride}, or half_bits; integers are not numbers of attention
#include <longspan/longspan.hpp>

using mask = Eigen::Tensor<int, 2, Eigen::RowMajor>;

auto refused(const mask& numbers, Eigen::MatrixXf& gradient) { return longspan::bias{numbers, gradient}; }

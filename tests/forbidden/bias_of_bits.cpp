// first error: tensors hold float, double, Eigen::half or Eigen::bfloat16: bits in 16-bit words are read as view<const Eigen::bfloat16>{bfloat16_bits(pointer), extent, stride}, or half_bits; integers are not numbers of attention
#include <longspan/longspan.hpp>

auto refused(longspan::view<const std::uint16_t> bits_of_bfloat16) { return longspan::bias{bits_of_bfloat16}; }

// first error: tensors hold float, double, Eigen::half or Eigen::bfloat16: bits in 16-bit words are read as view<const Eigen::bfloat16>{bfloat16_bits(pointer), extent, stride}, or half_bits; integers are not numbers of attention
#include <longspan/longspan.hpp>

using view = longspan::view<float>;

void refused(view q, view output, view log_sum_exp, longspan::view<int> d_q) {
  longspan::backward_into(longspan::dot_product{} | longspan::causal{}, q, q, q, longspan::attended{output, log_sum_exp}, output,
                          d_q, q, q);
}

// expects: boolean_mask reads bool or 8-bit integers, not 0 where a query sees a key; numbers to add to logits are a bias
#include <longspan/longspan.hpp>

void refused() {
  Eigen::Tensor<float, 2, Eigen::RowMajor> numbers(3, 3);
  longspan::dot_product{} | longspan::boolean_mask{numbers};
}

// One key has all the weight: the output is its value.
#include <iostream>

#include <longspan/longspan.hpp>

int main() {
  Eigen::Tensor<float, 4, Eigen::RowMajor> q(1, 1, 1, 8), k(1, 1, 1, 8), v(1, 1, 1, 8);
  for (auto* t : {&q, &k, &v}) t->setRandom();
  const auto output = longspan::forward(longspan::dot_product{} | longspan::causal{}, q, k, v).output;
  std::cout << "value " << v(0, 0, 0, 3) << ", output " << output(0, 0, 0, 3) << '\n';
  return output(0, 0, 0, 3) == v(0, 0, 0, 3) ? 0 : 1;
}

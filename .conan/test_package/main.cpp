// One key has all the weight: the output is its value.
#include <longspan/longspan.hpp>

int main() {
  const Eigen::MatrixXf q = Eigen::MatrixXf::Random(8, 1);
  return longspan::forward(longspan::dot_product{} | longspan::causal{}, q, q, q).output == q ? 0 : 1;
}

#include <longspan/longspan.hpp>

int main() {
  const Eigen::MatrixXf q = Eigen::MatrixXf::Random(64, 100), k = Eigen::MatrixXf::Random(64, 100);  // one head, a column a token
  const auto mechanism = longspan::rope{} | longspan::dot_product{} | longspan::info_scale{.trained = 64} | longspan::causal{};
  return longspan::forward(mechanism, q, k, k).output.allFinite() ? 0 : 1;
}

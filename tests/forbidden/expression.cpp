// expects: evaluate an expression first
#include <longspan/longspan.hpp>

int main() {
  Eigen::MatrixXf q = Eigen::MatrixXf::Random(8, 8);
  longspan::forward(longspan::dot_product{} | longspan::causal{}, q * 2.f, q, q);
}

// expects: skip_negligible needs at_most(row) of every transform
#include <longspan/longspan.hpp>

void refused(const Eigen::MatrixXf& q, const Eigen::MatrixXf& k, const Eigen::MatrixXf& numbers) {
  using namespace longspan;
  forward(dot_product{} | bias{numbers} | causal{} | skip_negligible{}, q, k, k);
}

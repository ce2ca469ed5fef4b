// expects: double does not mix with narrower numbers: query, key, value and output compute in one precision
#include <longspan/longspan.hpp>

void refused(const Eigen::MatrixXf& q, const Eigen::MatrixXd& k) {
  longspan::forward(longspan::dot_product{} | longspan::causal{}, q, k, k);
}

// expects: a mechanism ends with a mask that says what a row sees: causal{}, everything{} ...
#include <longspan/longspan.hpp>

void refused(const Eigen::MatrixXf& q, const Eigen::MatrixXf& k) {
  longspan::forward(longspan::rope{} | longspan::dot_product{}, q, k, k);
}

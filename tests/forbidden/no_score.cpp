// expects: a mechanism needs a score: dot_product{} or cosine{}, before its transforms and mask
#include <longspan/longspan.hpp>

void refused(const Eigen::MatrixXf& q, const Eigen::MatrixXf& k) {
  longspan::forward(longspan::temperature{2} | longspan::causal{}, q, k, k);
}

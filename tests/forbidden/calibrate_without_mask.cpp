// first error: calibrate(mechanism, q, k, {.trained = m, .lengths = {...}}): a mechanism goes from a score to a mask, as in dot_product{} | causal{}
#include <longspan/longspan.hpp>

void refused(const Eigen::MatrixXf& q) {
  longspan::calibrate(longspan::rope{} | longspan::dot_product{}, q, q, {.trained = 8, .lengths = {16}});
}

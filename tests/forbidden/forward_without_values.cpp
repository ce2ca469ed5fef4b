// first error: forward([device,] mechanism, q, k, v[, placement]): a mechanism is parts joined by |, from a score to a mask, as in dot_product{} | causal{}
#include <longspan/longspan.hpp>

void refused(const Eigen::MatrixXf& q) { longspan::forward(longspan::dot_product{} | longspan::causal{}, q, q); }

// first error: backward_into([device,] mechanism, q, k, v, kept, d_output, d_q, d_k, d_v[, placement]): begins with a mechanism, parts joined by |, from a score to a mask, as in dot_product{} | causal{}
#include <longspan/longspan.hpp>

void refused(const Eigen::MatrixXf& q, Eigen::MatrixXf& d_q) { longspan::backward_into(q, q, q, q, q, d_q, d_q, d_q); }

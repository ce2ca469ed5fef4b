// expects: merge_into writes to its first argument, which must not be const: merge makes new memory
#include <longspan/longspan.hpp>

void refused(const longspan::attended<Eigen::MatrixXf, Eigen::VectorXf>& into) { longspan::merge_into(into, into); }

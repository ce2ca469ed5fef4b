// expects: a part refers to its tensor: give the tensor a name, or hand over a map or a view of memory that lasts
#include <longspan/longspan.hpp>

const auto refused = longspan::bias{Eigen::MatrixXf(3, 3)};

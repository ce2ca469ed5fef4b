// expects: a part refers to its tensor: give the tensor a name, or hand over a map or a view of memory that lasts
#include <longspan/longspan.hpp>

void refused() { longspan::dot_product{} | longspan::boolean_mask{Eigen::Tensor<bool, 2, Eigen::RowMajor>(3, 3)}; }

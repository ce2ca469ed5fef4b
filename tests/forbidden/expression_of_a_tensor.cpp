// expects: evaluate an expression first: assign it to a tensor, as in const Tensor twice = q * 2.f; of a matrix (q * 2.f).eval() does
#include <longspan/longspan.hpp>

auto refused(const Eigen::Tensor<float, 4>& q) {
  return longspan::forward(longspan::dot_product{} | longspan::causal{}, q * 2.f, q, q);
}

// first error: results and gradients are written: their tensors, and what their views point to, must not be const
#include <longspan/longspan.hpp>

void refused(longspan::view<const float> q) { longspan::forward_into(longspan::dot_product{} | longspan::causal{}, q, q, q, q); }

// expects: get<Part, N>(mechanism): the mechanism has no N-th part of this type, counted from 0
#include <longspan/longspan.hpp>

const auto whole = longspan::dot_product{} | longspan::temperature{2} | longspan::causal{};
const double refused = longspan::get<longspan::temperature, 1>(whole).factor.value;

// expects: for_each_learned visits the learned numbers of several mechanisms together if they have the same type
#include <longspan/longspan.hpp>

const auto one = longspan::dot_product{} | longspan::temperature{2} | longspan::causal{};
const auto other = longspan::dot_product{} | longspan::ss_max{} | longspan::causal{};
void refused() {
  longspan::for_each_learned(one, other, [](double, double) {});
}

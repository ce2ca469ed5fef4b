// expects: masks belong before skip_negligible: it skips what they show
#include <longspan/mask/causal.hpp>
#include <longspan/mechanism.hpp>
#include <longspan/score/dot_product.hpp>
#include <longspan/softmax/skip_negligible.hpp>

const auto refused = longspan::dot_product{} | longspan::causal{} | longspan::skip_negligible{} | longspan::causal{};

// expects: masks belong before dropout: it drops weights of the keys they show
#include <longspan/mask/causal.hpp>
#include <longspan/mechanism.hpp>
#include <longspan/score/dot_product.hpp>
#include <longspan/softmax/dropout.hpp>

const auto refused = longspan::dot_product{} | longspan::causal{} | longspan::dropout{} | longspan::causal{};

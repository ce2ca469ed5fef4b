// expects: a mechanism has one dropout, after its masks
#include <longspan/mask/causal.hpp>
#include <longspan/mechanism.hpp>
#include <longspan/score/dot_product.hpp>
#include <longspan/softmax/dropout.hpp>

const auto refused = longspan::dot_product{} | longspan::causal{} | longspan::dropout{} | longspan::dropout{};

// expects: dropout belongs after the mask: it drops weights of the softmax
#include <longspan/mask/causal.hpp>
#include <longspan/mechanism.hpp>
#include <longspan/score/dot_product.hpp>
#include <longspan/softmax/dropout.hpp>

const auto refused = longspan::dot_product{} | longspan::dropout{} | longspan::causal{};

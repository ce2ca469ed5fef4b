// expects: skip_negligible belongs after the masks, once, and before dropout and sink
#include <longspan/mask/causal.hpp>
#include <longspan/mechanism.hpp>
#include <longspan/score/dot_product.hpp>
#include <longspan/softmax/dropout.hpp>
#include <longspan/softmax/skip_negligible.hpp>

const auto refused = longspan::dot_product{} | longspan::causal{} | longspan::dropout{} | longspan::skip_negligible{};

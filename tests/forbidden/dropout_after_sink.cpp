// expects: a sink ends the mechanism: nothing belongs after it
#include <longspan/mask/causal.hpp>
#include <longspan/mechanism.hpp>
#include <longspan/score/dot_product.hpp>
#include <longspan/softmax/dropout.hpp>
#include <longspan/softmax/sink.hpp>

const auto refused = longspan::dot_product{} | longspan::causal{} | longspan::sink{} | longspan::dropout{};

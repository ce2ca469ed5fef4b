// expects: a sink belongs after the mask, at the end of the mechanism
#include <longspan/mask/causal.hpp>
#include <longspan/mechanism.hpp>
#include <longspan/score/dot_product.hpp>
#include <longspan/softmax/sink.hpp>

const auto refused = longspan::dot_product{} | longspan::sink{} | longspan::causal{};

// expects: a transform (temperature, softcap, bias ...) belongs before the mask: after it, weight would leak to hidden keys
#include <longspan/mask/causal.hpp>
#include <longspan/mechanism.hpp>
#include <longspan/score/dot_product.hpp>
#include <longspan/transform/softcap.hpp>

const auto refused = longspan::dot_product{} | longspan::causal{} | longspan::softcap{50};

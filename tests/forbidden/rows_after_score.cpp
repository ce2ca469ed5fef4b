// expects: rows (rope, p_rope, rms_normalize ...) belong before the score: they prepare what it multiplies
#include <longspan/mechanism.hpp>
#include <longspan/position/rope.hpp>
#include <longspan/score/dot_product.hpp>

const auto refused = longspan::dot_product{} | longspan::rope{};

// expects: + adds whole mechanisms, from a score to a mask, and binds tighter than |: write (a | b) + (c | d)
#include <longspan/mask/causal.hpp>
#include <longspan/mechanism.hpp>
#include <longspan/score/dot_product.hpp>

const auto refused = (longspan::dot_product{} | longspan::causal{}) + longspan::causal{};

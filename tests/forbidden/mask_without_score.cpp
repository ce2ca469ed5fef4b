// expects: a mask belongs after the score and its transforms
#include <longspan/mask/causal.hpp>
#include <longspan/mechanism.hpp>
#include <longspan/position/rope.hpp>

const auto refused = longspan::rope{} | longspan::causal{};

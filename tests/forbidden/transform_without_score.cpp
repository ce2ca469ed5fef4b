// expects: a transform belongs after the score (dot_product or cosine) whose logits it changes
#include <longspan/mechanism.hpp>
#include <longspan/position/rope.hpp>
#include <longspan/transform/temperature.hpp>

const auto refused = longspan::rope{} | longspan::temperature{2};

// expects: a mechanism has one score (dot_product or cosine), after its rows and before its transforms
#include <longspan/mechanism.hpp>
#include <longspan/score/dot_product.hpp>
#include <longspan/transform/temperature.hpp>

const auto refused = longspan::temperature{2} | longspan::dot_product{};

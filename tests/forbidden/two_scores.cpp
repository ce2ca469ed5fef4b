// expects: a mechanism has one score (dot_product or cosine), after its rows and before its transforms
#include <longspan/mechanism.hpp>
#include <longspan/score/cosine.hpp>
#include <longspan/score/dot_product.hpp>

const auto refused = longspan::dot_product{} | longspan::cosine{};

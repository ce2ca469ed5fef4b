// expects: a sum is complete: what belongs to a summand is joined to it before the sum, as in (a | b) + (c | d)
#include <longspan/mask/at_least.hpp>
#include <longspan/mask/causal.hpp>
#include <longspan/mask/sliding_window.hpp>
#include <longspan/mechanism.hpp>
#include <longspan/score/dot_product.hpp>

using namespace longspan;
const auto refused = ((dot_product{} | sliding_window{7}) + (dot_product{} | at_least{8})) | causal{};

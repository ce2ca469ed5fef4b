// first error: + adds whole mechanisms, from a score to a mask, and binds tighter than |: write (a | b) + (c | d)
#include <longspan/mask/at_least.hpp>
#include <longspan/mask/sliding_window.hpp>
#include <longspan/mechanism.hpp>
#include <longspan/score/dot_product.hpp>

using namespace longspan;
const auto refused = dot_product{} | sliding_window{7} + dot_product{} | at_least{8};

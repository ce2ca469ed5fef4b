// first error: to 'bool'
// expects: batch_bool<double
// for: -march=x86-64-v4
#include <algorithm>

#include <longspan/mask/causal.hpp>
#include <longspan/mechanism.hpp>
#include <longspan/score/dot_product.hpp>

// The largest of the first lanes, in all of them.
struct at_least_half {
  auto operator()(const longspan::query_row&) const {
    return [](auto logit, const auto&) { return std::max(logit, 0.5f * logit); };
  }
};

void refused() { longspan::dot_product{} | at_least_half{} | longspan::causal{}; }

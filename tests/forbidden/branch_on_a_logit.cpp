// first error: to 'bool'
// expects: batch_bool<double
// for: -march=x86-64
// for: -march=x86-64-v3
// for: -march=x86-64-v4
#include <longspan/mask/causal.hpp>
#include <longspan/mechanism.hpp>
#include <longspan/score/dot_product.hpp>

// One choice for all lanes.
struct leaky {
  auto operator()(const longspan::query_row&) const {
    return [](auto logit, const auto& keys) { return keys.distance() < 8 ? logit : 0.5f * logit; };
  }
};

void refused() { longspan::dot_product{} | leaky{} | longspan::causal{}; }

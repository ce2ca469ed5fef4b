// expects: softcap belongs before bias and mask
#include <longspan/mechanism.hpp>
#include <longspan/score/dot_product.hpp>
#include <longspan/transform/softcap.hpp>

struct bias {
  static constexpr longspan::stage order = longspan::stage::bias;
  auto operator()(const longspan::query_row&) const {
    return [](auto logit, const auto&) { return logit + 1; };
  }
};

const auto refused = longspan::dot_product{} | bias{} | longspan::softcap{50};

#include <longspan/transform/concept.hpp>

#include <gtest/gtest.h>

#include <longspan/longspan.hpp>

#include "support/logits.hpp"
#include "support/tensors.hpp"

namespace {

using namespace longspan;
using namespace testing_support;

// Float constants, the row's own numbers, positions, distances and a choice: what a user's body mixes.
struct own {
  float rate;
  auto operator()(const query_row& row) const {
    const float head = float(row.head + 1), here = float(row.position);
    return [=, rate = rate](auto logit, const auto& keys) {
      const auto bent = 3.f * tanh(logit / 3.f) + 0.125f * exp(-logit * logit) - sqrt(logit * logit + 1.f);
      return select(logit > decltype(logit)(0.5f), bent, logit - 1) - rate / head * (here - keys.position()) +
             2 * rate * keys.distance();
    };
  }
};

// A body that is no template: it runs in the reference, and nothing can be differentiated through it.
struct scalar_alone {
  auto operator()(const query_row&) const {
    return [](double logit, const auto&) { return std::floor(logit); };
  }
};
struct no_row {
  double operator()(double logit) const { return logit; }
};
struct no_number {
  auto operator()(const query_row&) const {
    return [](auto, const auto&) { return "text"; };
  }
};

static_assert(transform<own> && differentiable<own>);
static_assert(transform<temperature> && transform<softcap> && transform<alibi> && transform<scale_invariant> &&
              transform<info_scale>);
static_assert(transform<scalar_alone> && !differentiable<scalar_alone>);
static_assert(!transform<no_row> && !transform<no_number> && !transform<causal> && !transform<rope> && !transform<dot_product>);

TEST(transform, of_ones_own_has_one_body) { expect_one_body(own{0.25f}, {.position = 5, .head = 1, .heads = 2}); }

// Constants of one precision in tensors of the other: the logits keep the precision of the tensors.
template <class T>
double error_of_own(const lengths& of) {
  const auto in = random_inputs<T>(of);
  const auto mechanism = dot_product{} | own{0.25f} | temperature{0.7} | own{-0.1f} | causal{};
  const auto got = forward(mechanism, in.q, in.k, in.v);
  const auto wanted = reference::attention(mechanism, in.q, in.k, in.v);
  return worse(worst_difference(got.output, wanted.output), worst_difference(got.log_sum_exp, wanted.log_sum_exp));
}

TEST(transform, of_ones_own_is_computed_as_precisely_as_the_tensors) {
  const lengths of{.heads = 2, .key_heads = 1, .queries = 37, .keys = 50};
  EXPECT_LT(error_of_own<float>(of), 2e-5);
  EXPECT_LT(error_of_own<double>(of), 1e-12);
}

}  // namespace

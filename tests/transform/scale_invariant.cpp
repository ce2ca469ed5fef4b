#include <longspan/transform/scale_invariant.hpp>

#include <gtest/gtest.h>

#include <numbers>

#include "support/logits.hpp"
#include "support/words.hpp"

namespace {

using namespace longspan;
using namespace testing_support;

// arXiv 2505.17083: a_t = sqrt(1 + 2 log(1 + t/tau)), m_t = -2 log(1 + t/tau).
TEST(scale_invariant, scales_and_shifts_as_the_paper_does) {
  for (const double tau : {0.01, 1.0, 10.0, 100.0})
    for (const index_t t : {0, 1, 7, 1000, 100000})
      for (const double score : {-2.0, 0.0, 1.5}) {
        const double growth = std::log(1 + double(t) / tau), wanted = std::sqrt(1 + 2 * growth) * score - 2 * growth;
        EXPECT_NEAR(logit(scale_invariant{.tau = tau}, {.position = t}, 0, score), wanted, 1e-11) << "t " << t << ", tau " << tau;
      }
}

TEST(scale_invariant, leaves_the_query_itself_exactly) {
  for (const double tau : {0.01, 10.0, 3e5}) {
    EXPECT_EQ(scale_invariant{.tau = tau}.at(0).scale, 1);
    EXPECT_EQ(scale_invariant{.tau = tau}.at(0).shift, 0);
  }
}

TEST(scale_invariant, counts_keys_after_the_query_by_their_distance) {
  for (const index_t t : {1, 5, 300}) {
    EXPECT_EQ(scale_invariant{}.at(-t).scale, scale_invariant{}.at(t).scale);
    EXPECT_EQ(scale_invariant{}.at(-t).shift, scale_invariant{}.at(t).shift);
  }
}

// a_t^2 = 2 (log(t/tau + 1) - log alpha + beta/alpha), m_t = beta/alpha - a_t^2.
TEST(scale_invariant, takes_any_alpha_and_beta_of_theorem_1) {
  for (const double alpha : {0.3, 1.0, 2.5})
    for (const double beta : {0.5, 3.0})
      for (const index_t t : {0, 1, 40}) {
        const double square = 2 * (std::log(double(t) / 5 + 1) - std::log(alpha) + beta / alpha);
        if (square < 0) continue;
        const affine z = scale_invariant{.tau = 5, .alpha = alpha, .beta = beta}.at(t);
        EXPECT_NEAR(z.scale.value, std::sqrt(square), 1e-13);
        EXPECT_NEAR(z.shift.value, beta / alpha - square, 1e-13);
      }
}

// Where beta = alpha log alpha, a_0 is 0: rounding must not make it the root of a negative number.
TEST(scale_invariant, is_real_at_the_edge_of_theorem_1) {
  for (double alpha = 1.01; alpha < 20; alpha += 0.01) {
    const scale_invariant edge{.alpha = alpha, .beta = alpha * std::log(alpha)};
    EXPECT_NO_THROW(edge.check({}));
    EXPECT_NEAR(edge.at(0).scale.value, 0, 1e-7) << alpha;
    EXPECT_NEAR(edge.at(0).shift.value, std::log(alpha), 1e-14) << alpha;
  }
}

// The form with alpha = beta = sqrt(e) is the default, whoever computes the root.
TEST(scale_invariant, default_is_the_root_of_e) {
  EXPECT_EQ(scale_invariant{}.alpha, std::sqrt(std::numbers::e));
  EXPECT_EQ((scale_invariant{.alpha = std::sqrt(std::numbers::e), .beta = std::sqrt(std::numbers::e)}.at(9).scale),
            scale_invariant{}.at(9).scale);
}

// Lemma 1: with Gaussian base logits, E w_t = alpha / (t/tau + 1).
TEST(scale_invariant, expected_weight_falls_as_one_over_the_distance) {
  for (const double alpha : {scale_invariant::sqrt_e, 2.0})
    for (const index_t t : {0, 3, 10, 5000}) {
      const affine z = scale_invariant{.alpha = alpha, .beta = 2}.at(t);
      EXPECT_NEAR(std::exp(z.shift.value + z.scale.value * z.scale.value / 2) * (double(t) / 10 + 1), alpha, 1e-12) << t;
    }
}

// da/dtau = -t / (tau (tau + t) a), dm/dtau = 2 t / (tau (tau + t)); none at t = 0, even where a_0 is 0.
TEST(scale_invariant, knows_its_derivative_by_tau) {
  scale_invariant part{.tau = 7};
  part.tau.slope = 1;
  for (const index_t t : {0, 1, -5, 300}) {
    const double distance = std::abs(double(t)), growth = distance / (7 * (7 + distance));
    const affine z = part.at(t);
    EXPECT_NEAR(z.scale.slope, -growth / z.scale.value, 1e-15) << t;
    EXPECT_NEAR(z.shift.slope, 2 * growth, 1e-15) << t;
  }
  scale_invariant edge{.alpha = 2, .beta = 2 * std::log(2.0)};
  edge.tau.slope = 1;
  EXPECT_EQ(edge.at(0).scale.slope, 0);
}

TEST(scale_invariant, has_a_slope) { expect_slopes(scale_invariant{}, {.position = 12}); }

TEST(scale_invariant, names_what_it_refuses) {
  const auto words = [](const scale_invariant& part) { return words_of([&] { part.check({}); }); };
  EXPECT_EQ(words({}), "");
  EXPECT_EQ(words({.tau = 0}), "scale_invariant: tau must be positive and finite, not 0");
  EXPECT_EQ(words({.tau = -10}), "scale_invariant: tau must be positive and finite, not -10");
  EXPECT_EQ(words({.tau = HUGE_VAL}), "scale_invariant: tau must be positive and finite, not inf");
  EXPECT_EQ(words({.alpha = 0}), "scale_invariant: alpha must be positive and finite, not 0");
  EXPECT_EQ(words({.beta = -1}), "scale_invariant: beta must be positive and finite, not -1");
  EXPECT_EQ(words({.alpha = 3, .beta = 1}), "scale_invariant: beta must be at least alpha log alpha, not 1");
}

}  // namespace

// Lemma 1, lemma 2 and theorem 1 of scale-invariant attention (arXiv 2505.17083), in closed form: with base logits s ~ N(0, 1), the
// expectations over a weight w_t = exp(a_t s + m_t) are integrals of one variable.
#include <cmath>
#include <numbers>
#include <vector>

#include <gtest/gtest.h>

#include <longspan/transform/scale_invariant.hpp>

namespace {

using namespace longspan;
using namespace longspan::detail;

// E f(z) for z = a s + m by the trapezoid rule, whose error falls as exp(-2 pi^2 / step^2): at a step of 1/2 it is below the last bit.
// The bulk of exp(2 z) lies at s = 2 a, at most 9 for the distances here.
template <class F>
double expectation(const affine& z, F f) {
  const double step = 0.5;
  double sum = 0;
  for (int k = -20; k <= 38; ++k) {
    const double s = step * k;
    sum += f(z.scale.value * s + z.shift.value) * std::exp(-s * s / 2);
  }
  return sum * step / std::sqrt(2 * std::numbers::pi);
}

double expected_weight(const affine& z) {
  return expectation(z, [](double logit) { return std::exp(logit); });
}
double expected_weight_log_weight(const affine& z) {
  return expectation(z, [](double logit) { return logit * std::exp(logit); });
}

// The paper's own constants, other scales, and the general form down to its edge beta = alpha log alpha, where a_0 = 0.
const std::vector<scale_invariant> family = {{},
                                             {.tau = 0.1},
                                             {.tau = 100},
                                             {.tau = 10, .alpha = 1, .beta = 1},
                                             {.tau = 3, .alpha = 0.4, .beta = 0.1},
                                             {.tau = 10, .alpha = 2, .beta = 5},
                                             {.tau = 10, .alpha = 4, .beta = 4 * std::log(4.)},
                                             {.tau = 10, .alpha = 1.46, .beta = 1.46 * std::log(1.46)}};

TEST(theorem_1, the_expected_weight_is_alpha_over_distance) {
  for (const scale_invariant& part : family)
    for (const index_t t : {0, 1, 7, 10, 100, 1000, 10000, 65535}) {
      const double wanted = part.alpha / (double(t) / part.tau.value + 1);
      EXPECT_NEAR(expected_weight(part.at(t)), wanted, 1e-12 * wanted)
          << "tau " << part.tau.value << " alpha " << part.alpha << " t " << t;
    }
}

TEST(theorem_1, the_expected_weight_times_its_log_is_beta_over_distance) {
  for (const scale_invariant& part : family)
    for (const index_t t : {0, 1, 7, 10, 100, 1000, 10000, 65535}) {
      const double wanted = part.beta / (double(t) / part.tau.value + 1);
      EXPECT_NEAR(expected_weight_log_weight(part.at(t)), wanted, 2e-11 * wanted)
          << "tau " << part.tau.value << " alpha " << part.alpha << " t " << t;
    }
}

// Sums over t <= u < factor t of c / (u / tau + 1) lie within c tau (tau + 1) / t of c tau log(factor): the integrals on either side of the
// sum do.
template <class Expectation>
void expect_limit(const scale_invariant& part, double constant, Expectation of) {
  for (const index_t t : {30, 300, 3000})
    for (const index_t factor : {2, 5, 10}) {
      double sum = 0;
      for (index_t u = t; u < factor * t; ++u) sum += of(part.at(u));
      const double limit = constant * part.tau.value * std::log(double(factor)),
                   rate = constant * part.tau.value * (part.tau.value + 1) / double(t);
      EXPECT_NEAR(sum, limit, rate) << "tau " << part.tau.value << " alpha " << part.alpha << " from " << t << " to "
                                    << factor * t;
    }
}

TEST(lemma_1, the_total_attention_of_a_range_tends_to_a_constant_at_every_scale) {
  for (const scale_invariant& part : family) expect_limit(part, part.alpha, expected_weight);
}

TEST(lemma_2, the_unnormalised_sparsity_of_a_range_tends_to_a_constant_at_every_scale) {
  for (const scale_invariant& part : family) expect_limit(part, part.beta, expected_weight_log_weight);
}

// Why one sample of the total attention says little: E w_t^2 = e^2 at every distance, while E w_t falls.
TEST(theorem_1, the_second_moment_of_a_weight_does_not_fall) {
  for (const index_t t : {0, 1, 10, 100, 1000, 10000, 65535})
    EXPECT_NEAR(expectation(scale_invariant{}.at(t), [](double logit) { return std::exp(2 * logit); }), std::exp(2.), 1e-10) << t;
}

}  // namespace

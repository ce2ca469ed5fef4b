// Values that the papers and their code fix, made by the parts and met again in the logits of the fused kernel. The digits are those of
// the published formulas in 40-digit arithmetic.
#include <cmath>
#include <vector>

#include <gtest/gtest.h>

#include "papers/fused_logit.hpp"

namespace {

using namespace testing_support;
using namespace longspan;
using namespace longspan::detail;

const dot_product unscaled{.scale = 1};

TEST(info_scale_of_the_paper, has_the_values_of_its_formula) {
  struct value {
    index_t trained, keys, channels;
    double g;
  };
  for (const value& wanted : {value{64, 128, 64, 1.074426636927509},
                              {64, 128, 128, 1.077237075040013},
                              {64, 512, 64, 1.205538775720420},
                              {64, 512, 128, 1.214970370317888},
                              {64, 4096, 64, 1.370447401466634},
                              {64, 4096, 128, 1.391791585351467},
                              {512, 4096, 64, 1.136792469116280},
                              {512, 4096, 128, 1.145535413334660},
                              {4096, 65536, 64, 1.131193489550550},
                              {4096, 65536, 128, 1.142574672076913}}) {
    const info_scale part{.trained = wanted.trained};
    EXPECT_NEAR(part.factor(wanted.keys, wanted.channels), wanted.g, 1e-14);
    const lone_key at{.score = 3, .distance = 9, .keys = wanted.keys, .channels = wanted.channels};
    EXPECT_NEAR(fused_logit(unscaled | part | causal{}, at), 3 * wanted.g, 1e-13) << wanted.trained << " to " << wanted.keys;
  }
}

// For log n far below d/2 the paper's g is sqrt(log n / log m), here sqrt(16 / 4); one key takes the whole weight whatever its logit.
TEST(info_scale_of_the_paper, is_the_root_of_log_n_in_many_channels) {
  EXPECT_NEAR(info_scale{.trained = 16}.factor(65536, 10000000), 2, 1e-6);
  EXPECT_EQ(info_scale{.trained = 64}.factor(64, 128), 1);
  EXPECT_EQ(info_scale{.trained = 64}.factor(1, 128), 0);
}

TEST(log_n_of_gau_alpha, is_log_n_over_log_512) {
  const log_n part{.trained = 512};
  EXPECT_EQ(part.factor(512), 1);
  for (const auto& [keys, factor] :
       {std::pair{1, 0.}, {2, 1. / 9}, {64, 2. / 3}, {128, 7. / 9}, {1024, 10. / 9}, {4096, 4. / 3}}) {
    EXPECT_NEAR(part.factor(keys), factor, 1e-15);
    EXPECT_NEAR(fused_logit(unscaled | part | causal{}, {.score = 5, .keys = keys}), 5 * factor, 1e-14) << keys;
  }
}

// A score of log 512 becomes log n: against n - 1 keys of logit 0, its key takes n / (2 n - 1) of the weight at every length.
TEST(log_n_of_gau_alpha, keeps_the_weight_of_a_key_among_any_number_of_others) {
  const auto gau_alpha = dot_product{} | log_n{.trained = 512} | everything{};
  const index_t channels = 128;
  for (const index_t n : {2, 64, 512, 3000}) {
    tensor<double> q(1, 1, 1, channels), k(1, 1, n, channels), v(1, 1, n, 1);
    q.setZero(), k.setZero(), v.setZero();
    q(0) = std::sqrt(double(channels));
    k(0, 0, n / 2, 0) = std::log(512.);
    v(0, 0, n / 2, 0) = 1;
    EXPECT_NEAR(forward(gau_alpha, q, k, v).output(0), double(n) / double(2 * n - 1), 1e-12) << n;
  }
}

TEST(scale_invariant_of_the_paper, has_the_values_of_its_formula) {
  struct value {
    index_t distance;
    double a, m;
  };
  const scale_invariant part;
  for (const value& wanted : {value{0, 1, 0},
                              {1, 1.091155515776120, -0.190620359608650},
                              {10, 1.544763529191407, -1.386294361119891},
                              {100, 2.407444816729293, -4.795790545596741},
                              {1000, 3.198474798037733, -9.230241033682519},
                              {10000, 3.849351836170661, -13.817509558630441},
                              {65535, 4.309966848048338, -17.575814231275729}}) {
    const affine z = part.at(wanted.distance);
    EXPECT_NEAR(z.scale.value, wanted.a, 1e-14) << wanted.distance;
    EXPECT_NEAR(z.shift.value, wanted.m, 2e-14) << wanted.distance;
    const lone_key at{.score = 2, .distance = wanted.distance, .keys = 70000};
    EXPECT_NEAR(fused_logit(unscaled | part | causal{}, at), 2 * wanted.a + wanted.m, 1e-13) << wanted.distance;
  }
  EXPECT_EQ(part.at(0).scale, 1);
  EXPECT_EQ(part.at(0).shift, 0);
}

TEST(alibi_of_the_paper, has_its_slopes_for_any_number_of_heads) {
  const std::vector<std::vector<double>> of_heads = {{1. / 256},
                                                     {1. / 4, 1. / 16, 1. / 64, 1. / 256, 1. / 2, 1. / 8},
                                                     {1. / 2, 1. / 4, 1. / 8, 1. / 16, 1. / 32, 1. / 64, 1. / 128, 1. / 256}};
  for (const auto& slopes : of_heads)
    for (index_t h = 0; h < index_t(slopes.size()); ++h) {
      const index_t heads = index_t(slopes.size());
      EXPECT_EQ(alibi::slope(h, heads), slopes[std::size_t(h)]) << h << " of " << heads;
      const lone_key at{.score = 7, .distance = 100, .keys = 200, .head = h, .heads = heads};
      EXPECT_NEAR(fused_logit(unscaled | alibi{} | causal{}, at), 7 - 100 * slopes[std::size_t(h)], 1e-13)
          << h << " of " << heads;
    }
}

}  // namespace

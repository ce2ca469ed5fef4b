#include <longspan/transform/calibrated_temperature.hpp>

#include <gtest/gtest.h>

#include <cmath>

#include <longspan/longspan.hpp>

#include "support/logits.hpp"
#include "support/tensors.hpp"
#include "support/words.hpp"

namespace {

using namespace longspan;
using namespace testing_support;

const calibrated_temperature part({64, 128, 512}, {{1, 1.5, 2}, {0.9, 0.8, 1.2}});

TEST(calibrated_temperature, is_a_line_in_the_logarithm_of_the_length) {
  for (const index_t n : {0, 1, 64}) EXPECT_EQ(part.factor(n, 0), 1) << n;
  EXPECT_EQ(part.factor(128, 0), 1.5);
  EXPECT_EQ(part.factor(512, 1), 1.2);
  EXPECT_NEAR(part.factor(256, 0), 1.75, 1e-15);
  EXPECT_NEAR(part.factor(96, 1), 0.9 - 0.1 * std::log2(1.5), 1e-15);
  EXPECT_NEAR(part.factor(2048, 0), 2.5, 1e-15);  // the last line goes on
  EXPECT_EQ(calibrated_temperature({64}, {{1.5}}).factor(1000, 0), 1.5);
}

// Going on, it would reach 0 and turn attention around.
TEST(calibrated_temperature, that_falls_ends_with_the_last_factor) {
  const calibrated_temperature falls({4, 8}, {{1, 0.5}});
  EXPECT_GT(falls.factor(7, 0), 0.5);
  for (const index_t n : {8, 9, 16, 1000000}) EXPECT_EQ(falls.factor(n, 0), 0.5) << n;
}

TEST(calibrated_temperature, multiplies_the_rows_of_each_head_by_the_keys_that_they_see) {
  EXPECT_NEAR(logit(part, {.position = 999, .seen = 256, .head = 0, .heads = 2}, 3, 2.0), 3.5, 1e-15);
  EXPECT_NEAR(logit(part, {.position = 999, .seen = 512, .head = 1, .heads = 2}, 3, 2.0), 2.4, 1e-15);
}

TEST(calibrated_temperature, names_what_it_refuses) {
  const auto refused = [](std::vector<index_t> lengths, std::vector<std::vector<double>> factors) {
    return words_of([&] { calibrated_temperature(lengths, factors); });
  };
  EXPECT_EQ(refused({}, {}), "calibrated_temperature: lengths must be one or more, not 0");
  EXPECT_EQ(refused({1, 2}, {}), "calibrated_temperature: lengths must be above 1 and ascending, not 1");
  EXPECT_EQ(refused({8, 8}, {}), "calibrated_temperature: lengths must be above 1 and ascending, not 8");
  EXPECT_EQ(refused({8, 9}, {{1, 1}, {1}}), "calibrated_temperature: factors of a head must be one for each length, not 1");
  EXPECT_EQ(refused({8, 9}, {{1, 0}}), "calibrated_temperature: a factor must be positive and finite, not 0");
  const auto in = random_inputs<float>({.heads = 3, .key_heads = 3, .queries = 4, .keys = 4});
  EXPECT_EQ(words_of([&] { forward(dot_product{} | part | causal{}, in.q, in.k, in.v); }),
            "calibrated_temperature and query differ in heads: 2 and 3");
}

}  // namespace

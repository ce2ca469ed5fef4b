#include <longspan/transform/llama4_temperature.hpp>

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "support/logits.hpp"
#include "support/words.hpp"

namespace {

using namespace longspan;
using namespace testing_support;

// 1 + 0.1 log(1 + floor((i + 1) / 8192)), as the model has it.
TEST(llama4_temperature, grows_by_steps_with_the_position) {
  const llama4_temperature model;
  for (const index_t i : {0, 1, 8190, 8191, 8192, 16382, 16383, 1'000'000})
    EXPECT_NEAR(logit(model, {.position = i, .keys = 5, .seen = 3}, 1, 2.0),
                2 * (1 + 0.1 * std::log(1 + std::floor(double(i + 1) / 8192))), 1e-14)
        << i;
  EXPECT_EQ(model.factor(8190), 1);
  EXPECT_NEAR(model.factor(8191), 1 + 0.1 * std::log(2.0), 1e-15);
}

TEST(llama4_temperature, takes_other_scales_and_floors) {
  EXPECT_NEAR((llama4_temperature{.scale = 0.5, .floor = 4}.factor(11)), 1 + 0.5 * std::log(4.0), 1e-15);
  EXPECT_EQ((llama4_temperature{.scale = 0}.factor(1 << 20)), 1);
  EXPECT_EQ((llama4_temperature{.floor = std::numeric_limits<index_t>::max()}.factor(index_t(1) << 60)), 1);
}

// Ministral 3 counts the first token as 0.
TEST(llama4_temperature, counts_from_0_or_1) {
  const llama4_temperature model{.floor = 16, .first = 0};
  EXPECT_EQ(model.factor(15), 1);
  EXPECT_NEAR(model.factor(16), 1 + 0.1 * std::log(2.0), 1e-15);
  EXPECT_EQ(model.factor(-1), 1);
}

TEST(llama4_temperature, of_a_query_before_the_keys_is_one) {
  for (const index_t i : {-1, -2, -8192, -100'000}) EXPECT_EQ(llama4_temperature{}.factor(i), 1) << i;
}

TEST(llama4_temperature, has_one_body) { expect_one_body(llama4_temperature{.floor = 16}, {.position = 100, .seen = 100}); }

TEST(llama4_temperature, names_what_it_refuses) {
  const auto words = [](const llama4_temperature& part) { return words_of([&] { part.check({}); }); };
  EXPECT_EQ(words({}), "");
  EXPECT_EQ(words({.floor = 1}), "");
  EXPECT_EQ(words({.floor = 0}), "llama4_temperature: floor must be at least 1, not 0");
  EXPECT_EQ(words({.scale = std::numeric_limits<double>::infinity()}), "llama4_temperature: scale must be finite, not inf");
  EXPECT_EQ(words({.first = 2}), "llama4_temperature: first must be 0 or 1, not 2");
}

}  // namespace

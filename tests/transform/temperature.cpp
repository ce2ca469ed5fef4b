#include <longspan/transform/temperature.hpp>

#include <gtest/gtest.h>

#include "support/logits.hpp"
#include "support/words.hpp"

namespace {

using namespace longspan;
using namespace longspan::detail;
using namespace testing_support;

TEST(temperature, multiplies_every_logit) {
  for (const double factor : {-2.0, 0.0, 0.1, 1.0, 300.0})
    for (const double score : some_scores)
      for (const index_t key : {0, 5, 9})
        EXPECT_EQ(logit(temperature{factor}, {.position = 5, .seen = 6}, key, score), factor * score);
}

TEST(temperature, has_one_body) { expect_one_body(temperature{0.7}, {.position = 5}); }

TEST(temperature, rounds_once_to_the_scalar_of_the_logits) {
  EXPECT_EQ(row_factor{0.1}(3.f, keys_under<float>{}), 3.f * 0.1f);
  EXPECT_EQ(row_factor{0.1}(3.0, keys_under<double>{}), 3.0 * 0.1);
}

TEST(temperature, names_what_it_refuses) {
  const auto words = [](double factor) { return words_of([&] { temperature{factor}.check({}); }); };
  EXPECT_EQ(words(-3), "");
  EXPECT_EQ(words(HUGE_VAL), "temperature: factor must be finite, not inf");
  EXPECT_NE(words(std::nan("")), "");
}

}  // namespace

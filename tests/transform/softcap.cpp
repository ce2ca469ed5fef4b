#include <longspan/transform/softcap.hpp>

#include <gtest/gtest.h>

#include "support/logits.hpp"
#include "support/words.hpp"

namespace {

using namespace longspan;
using namespace testing_support;

const query_row row{.position = 5, .seen = 6};

TEST(softcap, is_cap_tanh_of_the_logit_over_cap) {
  for (const double cap : {0.5, 3.0, 50.0})
    for (const double score : some_scores) EXPECT_DOUBLE_EQ(logit(softcap{cap}, row, 2, score), cap * std::tanh(score / cap));
}

TEST(softcap, bounds_every_logit) {
  for (const double score : {1e3, 1e30, HUGE_VAL}) {
    EXPECT_EQ(logit(softcap{50}, row, 2, score), 50);
    EXPECT_EQ(logit(softcap{50}, row, 2, -score), -50);
  }
}

TEST(softcap, leaves_small_logits_and_their_order) {
  EXPECT_NEAR(logit(softcap{50}, row, 2, 0.1), 0.1, 1e-6);
  double before = -50;
  for (double score = -200; score < 200; score += 0.5) {
    EXPECT_GE(logit(softcap{50}, row, 2, score), before);
    before = logit(softcap{50}, row, 2, score);
  }
}

TEST(softcap, keeps_nan) { EXPECT_TRUE(std::isnan(logit(softcap{50}, row, 2, std::nan("")))); }

TEST(softcap, has_one_body) {
  expect_one_body(softcap{3}, row);
  expect_one_body(softcap{50}, row);
}

TEST(softcap, names_what_it_refuses) {
  const auto words = [](double cap) { return words_of([&] { softcap{cap}.check({}); }); };
  EXPECT_EQ(words(50), "");
  EXPECT_EQ(words(0), "softcap: cap must be positive and finite, not 0");
  EXPECT_EQ(words(-1), "softcap: cap must be positive and finite, not -1");
  EXPECT_EQ(words(HUGE_VAL), "softcap: cap must be positive and finite, not inf");
  EXPECT_NE(words(std::nan("")), "");
}

}  // namespace

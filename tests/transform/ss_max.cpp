#include <longspan/transform/ss_max.hpp>

#include <gtest/gtest.h>

#include "support/logits.hpp"
#include "support/words.hpp"

namespace {

using namespace longspan;
using namespace testing_support;

TEST(ss_max, multiplies_by_c_log_n) {
  for (const double c : {-0.5, 0.43, 1.0})
    for (const index_t n : {1, 2, 1000})
      EXPECT_NEAR(logit(ss_max{.scale = c}, {.position = 3, .keys = 5000, .seen = n}, 1, 2.0), 2 * c * std::log(double(n)),
                  1e-14);
}

TEST(ss_max, one_is_chiang_and_cholak) {
  EXPECT_NEAR(logit(ss_max{}, {.position = 3, .seen = 20}, 1, 2.0), 2 * std::log(20), 1e-14);
}

TEST(ss_max, a_list_has_a_c_for_each_head) {
  const ss_max part{.scale = {0.5, 2, -1}};
  for (index_t head = 0; head < 3; ++head)
    EXPECT_NEAR(logit(part, {.position = 3, .seen = 20, .head = head, .heads = 3}, 1, 1.0), part.scale[head].value * std::log(20),
                1e-14);
}

TEST(ss_max, of_no_keys_is_zero) { EXPECT_EQ(logit(ss_max{}, {.position = -3}, 0, 5.0), 0); }

TEST(ss_max, all_keys_counts_the_hidden_ones_too) {
  EXPECT_NEAR(logit(ss_max{.all_keys = true}, {.position = 3, .keys = 5000, .seen = 4}, 1, 1.0), std::log(5000), 1e-14);
}

TEST(ss_max, has_one_body) { expect_one_body(ss_max{.scale = 0.43}, {.position = 5, .seen = 100}); }

TEST(ss_max, names_what_it_refuses) {
  const auto words = [](const ss_max& part) { return words_of([&] { part.check({.heads = 4}); }); };
  EXPECT_EQ(words({.scale = 0.3}), "");
  EXPECT_EQ(words({.scale = {1, 2, 3, 4}}), "");
  EXPECT_EQ(words({.scale = {1, 2}}), "ss_max: scale must be one number or one for each head: 2 numbers and 4 heads");
  EXPECT_EQ(words({.scale = HUGE_VAL}), "ss_max: scale must be finite, not inf");
}

}  // namespace

#include <longspan/transform/alibi.hpp>

#include <gtest/gtest.h>

#include <vector>

#include "support/logits.hpp"
#include "support/words.hpp"

namespace {

using namespace longspan;
using namespace testing_support;

TEST(alibi, slopes_are_the_papers) {
  const std::vector<std::vector<double>> papers{{1. / 256},
                                                {1. / 16, 1. / 256},
                                                {1. / 16, 1. / 256, 1. / 4},
                                                {1. / 4, 1. / 16, 1. / 64, 1. / 256},
                                                {1. / 4, 1. / 16, 1. / 64, 1. / 256, 1. / 2, 1. / 8},
                                                {1. / 2, 1. / 4, 1. / 8, 1. / 16, 1. / 32, 1. / 64, 1. / 128, 1. / 256}};
  for (const auto& slopes : papers)
    for (std::size_t head = 0; head < slopes.size(); ++head)
      EXPECT_DOUBLE_EQ(alibi::slope(index_t(head), index_t(slopes.size())), slopes[head]) << head << " of " << slopes.size();
}

TEST(alibi, slopes_past_a_power_of_two_are_every_other_of_twice_as_many) {
  for (index_t heads = 9; heads < 16; ++heads)
    for (index_t head = 0; head < heads; ++head)
      EXPECT_EQ(alibi::slope(head, heads), head < 8 ? alibi::slope(head, 8) : alibi::slope(2 * (head - 8), 16))
          << head << " of " << heads;
}

TEST(alibi, subtracts_the_slope_for_every_token_of_distance_both_ways) {
  for (index_t head = 0; head < 6; ++head)
    for (index_t key = 0; key < 20; ++key) {
      const query_row row{.position = 10, .head = head, .heads = 6};
      const double distance = std::abs(10 - double(key));
      EXPECT_DOUBLE_EQ(logit(alibi{}, row, key, 1.5), 1.5 - alibi::slope(head, 6) * distance);
      EXPECT_DOUBLE_EQ(logit(alibi{.slopes = 0.3}, row, key, 1.5), 1.5 - 0.3 * distance);
      EXPECT_DOUBLE_EQ(logit(alibi{.slopes = {{1, 2, 3, 4, 5, 6}}}, row, key, 1.5), 1.5 - double(head + 1) * distance);
    }
}

TEST(alibi, has_one_body) { expect_one_body(alibi{}, {.position = 5, .head = 1, .heads = 4}); }

TEST(alibi, names_what_it_refuses) {
  const auto words = [](const alibi& part) { return words_of([&] { part.check({.heads = 3}); }); };
  EXPECT_EQ(words({}), "");
  EXPECT_EQ(words({.slopes = 0.5}), "");
  EXPECT_EQ(words({.slopes = {{1, 2}}}), "alibi: slopes must be one number or one for each head: 2 numbers and 3 heads");
  EXPECT_EQ(words({.slopes = HUGE_VAL}), "alibi: slopes must be finite, not inf");
}

}  // namespace

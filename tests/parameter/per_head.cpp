#include <longspan/parameter/per_head.hpp>

#include <gtest/gtest.h>

#include <limits>

#include "support/words.hpp"

namespace {

using namespace longspan;
using testing_support::words_of;

TEST(per_head, one_number_serves_every_head) {
  const per_head every = 0.25;
  for (const index_t head : {0, 1, 7, 1000}) EXPECT_EQ(every[head], 0.25);
  EXPECT_NO_THROW(every.check("part: field", 1));
  EXPECT_NO_THROW(every.check("part: field", 64));
}

TEST(per_head, a_list_has_a_number_for_each_head) {
  const per_head listed{1, 2, 3};
  const per_head copied = std::vector<double>{1, 2, 3};
  for (const index_t head : {0, 1, 2}) {
    EXPECT_EQ(listed[head], double(head + 1));
    EXPECT_EQ(copied[head], double(head + 1));
  }
  EXPECT_NO_THROW(listed.check("part: field", 3));
}

TEST(per_head, a_list_that_does_not_fit_is_told_with_both_numbers) {
  const auto words = [](const per_head& given, index_t heads) { return words_of([&] { given.check("ss_max: scale", heads); }); };
  EXPECT_EQ(words({1, 2, 3}, 2), "ss_max: scale must be one number or one for each head: 3 numbers and 2 heads");
  EXPECT_EQ(words({1, 2}, 4), "ss_max: scale must be one number or one for each head: 2 numbers and 4 heads");
  EXPECT_EQ(words(std::vector<double>{}, 4), "ss_max: scale must be one number or one for each head: 0 numbers and 4 heads");
}

TEST(per_head, every_number_must_be_finite) {
  const double infinity = std::numeric_limits<double>::infinity();
  const auto words = [](const per_head& given, index_t heads) { return words_of([&] { given.check("sink: logit", heads); }); };
  EXPECT_EQ(words(infinity, 5), "sink: logit must be finite, not inf");
  EXPECT_EQ(words({0.5, -infinity}, 2), "sink: logit must be finite, not -inf");
  EXPECT_NE(words(std::numeric_limits<double>::quiet_NaN(), 5).find("sink: logit must be finite, not "), std::string::npos);
}

}  // namespace

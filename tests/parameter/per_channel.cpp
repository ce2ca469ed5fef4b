#include <longspan/parameter/per_channel.hpp>

#include <gtest/gtest.h>

#include <limits>

#include "support/words.hpp"

namespace {

using namespace longspan;
using testing_support::words_of;

TEST(per_channel, has_a_number_for_each_channel_or_none) {
  const per_channel none, listed{1, 2, 3}, copied = std::vector<double>{1, 2, 3};
  EXPECT_TRUE(none.empty());
  EXPECT_FALSE(listed.empty());
  EXPECT_EQ(listed.values(), copied.values());
  for (const index_t channels : {1, 64}) EXPECT_NO_THROW(none.check("part: field", channels));
  EXPECT_NO_THROW(listed.check("part: field", 3));
  per_channel doubled = listed;
  for (double& number : doubled) number *= 2;
  EXPECT_EQ(doubled.values(), (std::vector<double>{2, 4, 6}));
}

TEST(per_channel, names_what_it_refuses) {
  const auto words = [](const per_channel& given, index_t channels) {
    return words_of([&] { given.check("rows: gain", channels); });
  };
  EXPECT_EQ(words({1, 2, 3}, 4), "rows: gain must have a number for each channel, or none: 3 numbers and 4 channels");
  EXPECT_EQ(words({1}, 2), "rows: gain must have a number for each channel, or none: 1 numbers and 2 channels");
  EXPECT_EQ(words({1, -std::numeric_limits<double>::infinity()}, 2), "rows: gain must be finite, not -inf");
  EXPECT_NE(words({std::numeric_limits<double>::quiet_NaN()}, 1).find("rows: gain must be finite, not "), std::string::npos);
}

}  // namespace

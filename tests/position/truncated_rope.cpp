#include <longspan/position/truncated_rope.hpp>

#include <gtest/gtest.h>

#include <longspan/position/concept.hpp>

#include "support/turned.hpp"
#include "support/words.hpp"

namespace {

using namespace longspan;
using namespace testing_support;

static_assert(rotation<truncated_rope>);

// arXiv 2505.17083, the authors' code: from 1 down to 1/1024 over d/4 pairs, then zeros.
TEST(truncated_rope, a_quarter_of_the_channels_turns_in_pairs) {
  const auto frequencies = truncated_rope{}.frequencies(24).frequencies;
  const std::vector<double> wanted{1, 0.25, 0.0625, 0.015625, 0.00390625, 0.0009765625, 0, 0, 0, 0, 0, 0};
  ASSERT_EQ(frequencies.size(), wanted.size());
  for (std::size_t i = 0; i < wanted.size(); ++i) EXPECT_NEAR(frequencies[i], wanted[i], 1e-15) << i;
}

TEST(truncated_rope, ends_at_one_over_the_base) {
  for (const index_t channels : {8, 64, 128})
    for (const double base : {2.0, 1024.0, 9000.0}) {
      const auto frequencies = truncated_rope{.base = base}.frequencies(channels).frequencies;
      EXPECT_EQ(frequencies[0], 1);
      EXPECT_NEAR(frequencies[std::size_t(channels / 4 - 1)] * base, 1, 1e-14);
      EXPECT_EQ(frequencies[std::size_t(channels / 4)], 0);
    }
}

TEST(truncated_rope, four_channels_turn_one_pair_at_full_speed) {
  EXPECT_EQ(truncated_rope{}.frequencies(4).frequencies, (std::vector<double>{1, 0}));
  const auto row = random_row(4), got = turned(truncated_rope{.pairing = pairing::interleaved}, row, 2);
  EXPECT_NEAR(got[0], row[0] * std::cos(2) - row[1] * std::sin(2), 1e-15);
  EXPECT_EQ(got[2], row[2]);
  EXPECT_EQ(got[3], row[3]);
}

TEST(truncated_rope, names_what_it_refuses) {
  for (const index_t channels : {6, 7, 30})
    EXPECT_EQ(words_of<shape_error>([&] { truncated_rope{}.check({.channels = channels}); }),
              "truncated_rope turns a quarter of the channels in pairs, so their number must be a multiple of 4, not " +
                  std::to_string(channels));
  EXPECT_EQ(words_of([] { truncated_rope{.base = 0}.check({.channels = 8}); }),
            "truncated_rope: base must be positive and finite, not 0");
  EXPECT_EQ(words_of([] { truncated_rope{}.check({.channels = 8}); }), "");
}

}  // namespace

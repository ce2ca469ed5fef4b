#include <longspan/position/partial_rotary.hpp>

#include <gtest/gtest.h>

#include <longspan/position/concept.hpp>
#include <longspan/position/rope.hpp>

#include "support/turned.hpp"
#include "support/words.hpp"

namespace {

using namespace longspan;
using namespace longspan::detail;
using namespace testing_support;

static_assert(rotation<partial_rotary>);

TEST(partial_rotary, is_rope_on_a_prefix_of_the_channels) {
  for (const pairing pairs : {pairing::halves, pairing::interleaved})
    for (const double fraction : {0.0, 0.25, 0.5, 1.0}) {
      const auto row = random_row(16), got = turned(partial_rotary{.fraction = fraction, .pairing = pairs}, row, 7);
      const auto prefix = std::ptrdiff_t(16 * fraction);
      auto wanted = turned(rope{.pairing = pairs}, std::vector(row.begin(), row.begin() + prefix), 7);
      wanted.insert(wanted.end(), row.begin() + prefix, row.end());
      EXPECT_EQ(got, wanted) << fraction;
    }
}

TEST(partial_rotary, counts_channels_as_a_reader_does) {
  EXPECT_EQ((partial_rotary{.fraction = 0.7}.rotated(20)), 14);
  EXPECT_EQ((partial_rotary{.fraction = 0.58}.rotated(100)), 58);
  EXPECT_EQ((partial_rotary{}.rotated(80)), 20);
}

TEST(partial_rotary, names_what_it_refuses) {
  const auto words = [](const partial_rotary& part, index_t channels) {
    return words_of([&] { part.check({.channels = channels}); });
  };
  EXPECT_EQ(words({.fraction = 0.5}, 12), "");
  EXPECT_EQ(words({.fraction = 0.5}, 7), "partial_rotary rotates pairs of channels, so their number must be even, not 3");
  EXPECT_EQ(words({.fraction = 0.4}, 8), "partial_rotary rotates pairs of channels, so their number must be even, not 3");
  EXPECT_EQ(words({.fraction = 1.01}, 8), "partial_rotary: fraction must be in [0, 1], not 1.01");
  EXPECT_EQ(words({.fraction = -1}, 8), "partial_rotary: fraction must be in [0, 1], not -1");
  EXPECT_EQ(words({.base = -1}, 8), "partial_rotary: base must be positive and finite, not -1");
}

}  // namespace

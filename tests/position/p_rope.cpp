#include <longspan/position/p_rope.hpp>

#include <gtest/gtest.h>

#include <longspan/position/concept.hpp>
#include <longspan/position/partial_rotary.hpp>
#include <longspan/position/rope.hpp>

#include "support/turned.hpp"
#include "support/words.hpp"

namespace {

using namespace longspan;
using namespace longspan::detail;
using namespace testing_support;

static_assert(rotation<p_rope>);

std::size_t turning(const ladder& rungs) {
  return std::size_t(std::ranges::count_if(rungs.frequencies, [](double frequency) { return frequency != 0; }));
}

TEST(p_rope, all_of_it_is_rope_and_none_is_nothing) {
  for (const pairing pairs : {pairing::halves, pairing::interleaved}) {
    const auto row = random_row(16);
    EXPECT_EQ(turned(p_rope{.fraction = 1, .pairing = pairs}, row, 31), turned(rope{.pairing = pairs}, row, 31));
    EXPECT_EQ(turned(p_rope{.fraction = 0, .pairing = pairs}, row, 31), row);
  }
}

// arXiv 2410.06205: floor(p d/2) of the frequencies, the fastest, with exponents over the whole of d.
TEST(p_rope, keeps_the_fastest_frequencies_of_rope) {
  for (const double fraction : {0.1, 0.25, 0.5, 0.7, 0.75, 0.99}) {
    const ladder rungs = p_rope{.fraction = fraction, .base = 500}.frequencies(20), whole = rope{.base = 500}.frequencies(20);
    const auto kept = std::size_t(fraction * 10 + 1e-9);
    ASSERT_EQ(rungs.frequencies.size(), 10u);
    for (std::size_t i = 0; i < 10; ++i) EXPECT_EQ(rungs.frequencies[i], i < kept ? whole.frequencies[i] : 0) << fraction;
  }
}

// 0.7 * 10 is 6.9999... in doubles, and 0.29 * 100 is 28.9999...
TEST(p_rope, counts_frequencies_as_a_reader_does) {
  EXPECT_EQ(turning(p_rope{.fraction = 0.7}.frequencies(20)), 7u);
  EXPECT_EQ(turning(p_rope{.fraction = 0.29}.frequencies(200)), 29u);
  EXPECT_EQ(turning(p_rope{.fraction = 0.3}.frequencies(6)), 0u);
  EXPECT_EQ(turning(p_rope{}.frequencies(64)), 24u);
}

TEST(p_rope, is_not_partial_rotary) {
  const auto row = random_row(16), kept = turned(p_rope{.fraction = 0.5}, row, 3),
             prefix = turned(partial_rotary{.fraction = 0.5}, row, 3);
  // p_rope pairs channels 0 and 8, partial_rotary 0 and 4; the second half of the pairs and of the channels stays.
  const auto moved = [&](const std::vector<double>& got) {
    std::string which;
    for (std::size_t c = 0; c < row.size(); ++c) which += got[c] == row[c] ? '.' : 'x';
    return which;
  };
  EXPECT_EQ(moved(kept), "xxxx....xxxx....");
  EXPECT_EQ(moved(prefix), "xxxxxxxx........");
  EXPECT_NE(p_rope{.fraction = 0.5}.frequencies(16).frequencies[1],
            partial_rotary{.fraction = 0.5}.frequencies(16).frequencies[1]);
}

TEST(p_rope, names_what_it_refuses) {
  const auto words = [](const p_rope& part) { return words_of([&] { part.check({.channels = 8}); }); };
  EXPECT_EQ(words({.fraction = 1}), "");
  EXPECT_EQ(words({.fraction = 0}), "");
  EXPECT_EQ(words({.fraction = 1.5}), "p_rope: fraction must be in [0, 1], not 1.5");
  EXPECT_EQ(words({.fraction = -0.25}), "p_rope: fraction must be in [0, 1], not -0.25");
  EXPECT_NE(words({.fraction = std::nan("")}).find("p_rope: fraction must be in [0, 1]"), std::string::npos);
  EXPECT_EQ(words({.base = 0}), "p_rope: base must be positive and finite, not 0");
  EXPECT_EQ(words_of<shape_error>([] { p_rope{}.check({.channels = 7}); }),
            "p_rope rotates pairs of channels, so their number must be even, not 7");
}

}  // namespace

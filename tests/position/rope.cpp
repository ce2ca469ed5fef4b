#include <longspan/position/rope.hpp>

#include <gtest/gtest.h>

#include <complex>
#include <limits>

#include <longspan/position/concept.hpp>

#include "support/turned.hpp"
#include "support/words.hpp"

namespace {

using namespace longspan;
using namespace longspan::detail;
using namespace testing_support;

static_assert(rotation<rope> && !row_part<rope>);

const std::vector<rope> ropes{rope{}, rope{.pairing = pairing::interleaved}, rope{.base = 500000},
                              rope{.base = 20, .pairing = pairing::interleaved}};

// arXiv 2104.09864, eq. 34, with a pair of channels as one complex number.
std::vector<double> definition(const rope& part, std::vector<double> row, index_t position) {
  const std::size_t pairs = row.size() / 2;
  for (std::size_t i = 0; i < pairs; ++i) {
    double& x = row[part.pairing == pairing::halves ? i : 2 * i];
    double& y = row[part.pairing == pairing::halves ? i + pairs : 2 * i + 1];
    const double frequency = std::pow(part.base, -double(i) / double(pairs));
    const auto turned = std::complex<double>(x, y) * std::polar(1.0, double(position) * frequency);
    x = turned.real(), y = turned.imag();
  }
  return row;
}

TEST(rope, turns_pairs_as_defined_in_both_pairings) {
  for (const rope& part : ropes)
    for (const index_t channels : {2, 6, 64})
      for (const index_t position : {-70, -1, 0, 1, 3, 1000}) {
        const auto row = random_row(channels), got = turned(part, row, position), wanted = definition(part, row, position);
        for (std::size_t c = 0; c < row.size(); ++c)
          EXPECT_NEAR(got[c], wanted[c], 1e-12) << "channel " << c << " of " << channels;
      }
}

TEST(rope, leaves_position_zero_and_keeps_every_norm) {
  for (const rope& part : ropes)
    for (const index_t channels : {2, 6, 64}) {
      const auto row = random_row(channels);
      EXPECT_EQ(turned(part, row, 0), row);
      for (const index_t position : {-9, 1, 77})
        EXPECT_NEAR(dot(turned(part, row, position), turned(part, row, position)), dot(row, row), 1e-12);
    }
}

TEST(rope, scores_depend_on_the_distance_alone) {
  for (const rope& part : ropes) {
    const auto q = random_row(16, 1), k = random_row(16, 2);
    for (const index_t distance : {-3, 0, 1, 50}) {
      const double score = dot(turned(part, q, distance), k);
      for (const index_t key : {-20, 1, 200})
        EXPECT_NEAR(dot(turned(part, q, key + distance), turned(part, k, key)), score, 1e-11);
    }
  }
}

TEST(rope, ladder_falls_from_one_by_equal_ratios) {
  const auto frequencies = rope{.base = 10000}.frequencies(8).frequencies;
  const std::vector<double> wanted{1, 0.1, 0.01, 0.001};
  ASSERT_EQ(frequencies.size(), wanted.size());
  for (std::size_t i = 0; i < wanted.size(); ++i) EXPECT_NEAR(frequencies[i], wanted[i], 1e-15);
}

TEST(rope, names_what_it_refuses) {
  const auto words = [](const rope& part, index_t channels) { return words_of([&] { part.check({.channels = channels}); }); };
  EXPECT_EQ(words(rope{}, 64), "");
  EXPECT_EQ(words_of<shape_error>([] { rope{}.check({.channels = 5}); }),
            "rope rotates pairs of channels, so their number must be even, not 5");
  EXPECT_EQ(words({.base = 0}, 8), "rope: base must be positive and finite, not 0");
  EXPECT_EQ(words({.base = -2}, 8), "rope: base must be positive and finite, not -2");
  EXPECT_EQ(words({.base = std::numeric_limits<double>::infinity()}, 8), "rope: base must be positive and finite, not inf");
}

}  // namespace

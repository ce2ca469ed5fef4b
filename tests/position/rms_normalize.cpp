#include <longspan/position/rms_normalize.hpp>

#include <gtest/gtest.h>

#include <longspan/position/concept.hpp>
#include <longspan/position/no_position.hpp>

#include "support/turned.hpp"
#include "support/words.hpp"

namespace {

using namespace longspan;
using namespace testing_support;

static_assert(row_part<rms_normalize> && row_part<no_position> && !rotation<rms_normalize>);

TEST(rms_normalize, divides_by_the_root_of_the_mean_square) {
  for (const double epsilon : {0.0, 1e-6, 0.5})
    for (const index_t channels : {1, 5, 64}) {
      const auto row = random_row(channels), got = turned(rms_normalize{.epsilon = epsilon}, row, 3);
      const double root = std::sqrt(dot(row, row) / double(channels) + epsilon);
      for (std::size_t c = 0; c < row.size(); ++c) EXPECT_NEAR(got[c], row[c] / root, 1e-14);
    }
}

TEST(rms_normalize, gives_every_row_the_norm_root_d_at_any_position_and_scale) {
  for (const double scale : {1e-3, 1.0, 1e4}) {
    auto row = random_row(32);
    for (double& x : row) x *= scale;
    const auto got = turned(rms_normalize{.epsilon = 0}, row, 0);
    EXPECT_NEAR(dot(got, got), 32, 1e-12);
    EXPECT_EQ(turned(rms_normalize{.epsilon = 0}, row, -999), got);
  }
}

TEST(rms_normalize, leaves_a_row_of_zeros) { EXPECT_EQ(turned(rms_normalize{}, {0, 0, 0}, 1), (std::vector<double>{0, 0, 0})); }

TEST(rms_normalize, names_what_it_refuses) {
  const auto words = [](double epsilon) { return words_of([&] { rms_normalize{.epsilon = epsilon}.check({}); }); };
  EXPECT_EQ(words(0), "");
  EXPECT_EQ(words(-1e-3), "rms_normalize: epsilon must be at least 0 and finite, not -0.001");
  EXPECT_EQ(words(HUGE_VAL), "rms_normalize: epsilon must be at least 0 and finite, not inf");
  EXPECT_EQ(words_of([] { rms_normalize{.key_gain = {1, 2}}.check({.channels = 8}); }),
            "rms_normalize: key_gain must have a number for each channel, or none: 2 numbers and 8 channels");
}

TEST(rms_normalize, multiplies_queries_and_keys_by_gains_of_their_own) {
  const std::vector<double> row = random_row(3), unit = turned(rms_normalize{}, row, 0);
  const rms_normalize part{.query_gain = {2, 3, 4}, .key_gain = {-1, 0, 1}}, keys_alone{.key_gain = {5, 6, 7}};
  const auto expect = [&](const rms_normalize& each, token::role as, const std::vector<double>& gain) {
    auto got = row;
    each.turn(std::span(got), {.as = as});
    for (std::size_t c = 0; c < 3; ++c) EXPECT_EQ(got[c], gain[c] * unit[c]) << c;
  };
  expect(part, token::role::query, {2, 3, 4}), expect(part, token::role::key, {-1, 0, 1});
  expect(keys_alone, token::role::query, {1, 1, 1}), expect(keys_alone, token::role::key, {5, 6, 7});
}

TEST(rms_normalize, turns_gradients_back_and_adds_those_of_the_gain) {
  const std::vector<double> row = random_row(3, 2), g = random_row(3, 9);
  for (const auto as : {token::role::query, token::role::key}) {
    const token of{.as = as};
    const rms_normalize part{.query_gain = {2, 3, 4}, .key_gain = {-1, 0.5, 1}, .epsilon = 0.1};
    expect_transpose([&](auto from, auto gradient) { part.turn_back(from, gradient, of, {}); },
                     [&](auto moved) { part.turn(moved, of); }, row);
    const auto unit = turned(rms_normalize{.epsilon = 0.1}, row, 0);
    std::vector<double> sums{1, 2, 3, 4, 5, 6}, gradient = g;
    part.turn_back(std::span<const double>(row), std::span(gradient), of, std::span(sums));
    for (std::size_t c = 0; c < 3; ++c) {
      EXPECT_NEAR(sums[c], double(c + 1) + (of.is_query() ? g[c] * unit[c] : 0), 1e-14);
      EXPECT_NEAR(sums[3 + c], double(c + 4) + (of.is_query() ? 0 : g[c] * unit[c]), 1e-14);
    }
  }
}

TEST(no_position, leaves_every_row) {
  const auto row = random_row(9);
  for (const index_t position : {-3, 0, 12345}) EXPECT_EQ(turned(no_position{}, row, position), row);
}

TEST(rms_normalize, turns_gradients_back) {
  for (const double epsilon : {0.0, 1e-6, 0.5}) {
    const rms_normalize part{.epsilon = epsilon};
    expect_transpose([&](auto row, auto gradient) { part.turn_back(row, gradient, {}, {}); },
                     [&](auto row) { part.turn(row, {}); }, random_row(21));
  }
}

}  // namespace

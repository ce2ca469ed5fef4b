#include <longspan/position/rotate.hpp>

#include <gtest/gtest.h>

#include <numbers>

#include <longspan/position/concept.hpp>

#include "support/turned.hpp"

namespace {

using namespace longspan;
using namespace longspan::detail;
using testing_support::random_row;
using testing_support::turned;

static_assert(row_part<rotation_by_definition> && !rotation<rotation_by_definition>);

TEST(rotate, a_quarter_turn_takes_x_to_y) {
  double x = 2, y = 3;
  turn_pair(x, y, 0.0, 1.0);
  EXPECT_EQ(x, -3);
  EXPECT_EQ(y, 2);
}

// One quarter turn of the first pair and a half turn of the second; the channels beyond stay.
TEST(rotate, pairs_are_halves_or_neighbours_of_the_rotated_prefix) {
  const std::vector<double> cosine{0, -1}, sine{1, 0};
  std::vector<double> halves{1, 2, 3, 4, 5, 6}, interleaved = halves;
  rotate(std::span(halves), pairing::halves, 2, cosine.data(), sine.data());
  EXPECT_EQ(halves, (std::vector<double>{-3, -2, 1, -4, 5, 6}));
  rotate(std::span(interleaved), pairing::interleaved, 2, cosine.data(), sine.data());
  EXPECT_EQ(interleaved, (std::vector<double>{-2, 1, -3, -4, 5, 6}));
}

// Batches of pairs and those beyond, of rows of every length around a batch; the channels after the last pair stay.
template <class T>
void expect_every_pair_to_turn(pairing paired) {
  for (index_t pairs = 0; pairs <= 40; ++pairs) {
    const auto count = std::size_t(pairs);
    std::vector<T> row(2 * count + 3), cosine(count), sine(count);
    for (std::size_t c = 0; c < row.size(); ++c) row[c] = T(c % 7) - 3;
    for (std::size_t i = 0; i < sine.size(); ++i) cosine[i] = T(i % 3), sine[i] = T(i % 5) - 2;  // every product is exact
    std::vector<T> wanted = row;
    for (index_t i = 0; i < pairs; ++i) {
      const bool halves = paired == pairing::halves;
      const auto first = std::size_t(halves ? i : 2 * i), second = std::size_t(halves ? i + pairs : 2 * i + 1);
      const T c = cosine[std::size_t(i)], s = sine[std::size_t(i)];
      wanted[first] = row[first] * c - row[second] * s;
      wanted[second] = row[first] * s + row[second] * c;
    }
    rotate(std::span(row), paired, pairs, cosine.data(), sine.data());
    EXPECT_EQ(row, wanted) << pairs;
  }
}
TEST(rotate, turns_every_pair_of_rows_of_any_length) {
  for (const pairing paired : {pairing::halves, pairing::interleaved})
    expect_every_pair_to_turn<float>(paired), expect_every_pair_to_turn<double>(paired);
}

TEST(rotation_by_definition, turns_by_position_times_frequency) {
  const rotation_by_definition quarter{{.frequencies = {std::numbers::pi / 2, 0}}};
  const std::vector<double> row{1, 2, 3, 4}, wanted{-3, 2, 1, 4};
  for (const index_t position : {1, 5, -3}) {
    const auto got = turned(quarter, row, position);
    for (std::size_t c = 0; c < row.size(); ++c) EXPECT_NEAR(got[c], wanted[c], 1e-14);
  }
}

TEST(rotation_by_definition, magnitude_grows_the_rotated_channels_alone) {
  const auto row = random_row(8);
  const rotation_by_definition plain{{.frequencies = {0.3, 0.7}}}, grown{{.frequencies = {0.3, 0.7}, .magnitude = 1.5}};
  const auto a = turned(plain, row, 11), b = turned(grown, row, 11);
  for (std::size_t c = 0; c < 4; ++c) EXPECT_NEAR(b[c], 1.5 * a[c], 1e-14);
  for (std::size_t c = 4; c < 8; ++c) EXPECT_EQ(b[c], row[c]);
}

}  // namespace

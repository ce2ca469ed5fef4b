#include <longspan/position/angles.hpp>

#include <gtest/gtest.h>

#include <longspan/position/rope.hpp>

namespace {

using namespace longspan;
using namespace longspan::detail;

template <class Position>
std::vector<double> at(angles& each, Position position) {
  std::vector<double> written(std::size_t(2 * each.count()), -7);
  each.write(position, written.data());
  return written;
}

// Counts of pairs that fill batches and that do not.
TEST(angles, are_the_cosines_then_the_sines_times_the_magnitude) {
  for (const index_t pairs : {1, 2, 3, 8, 13}) {
    ladder rungs = geometric(500, 2 * pairs, pairing::halves);
    rungs.magnitude = 1.5;
    angles each(rungs);
    EXPECT_EQ(each.count(), pairs);
    for (const double position : {0., 1., 63., 64., -1., -64., -65., 1000., 0.5, -7.25, 1e17}) {
      const auto got = at(each, position);
      for (index_t i = 0; i < pairs; ++i) {
        const double angle = position * rungs.frequencies[std::size_t(i)];
        EXPECT_NEAR(got[std::size_t(i)], 1.5 * std::cos(angle), 1e-12) << position;
        EXPECT_NEAR(got[std::size_t(pairs + i)], 1.5 * std::sin(angle), 1e-12) << position;
      }
    }
  }
}

TEST(angles, have_bits_that_depend_on_the_position_alone) {
  angles upwards(rope{}.frequencies(20)), downwards(rope{}.frequencies(20));
  std::vector<std::vector<double>> seen;
  for (index_t position = -150; position < 150; ++position) seen.push_back(at(upwards, position));
  for (index_t position = 149; position >= -150; --position) {
    at(downwards, double(position) + 0.5);
    EXPECT_EQ(at(downwards, position), seen[std::size_t(position + 150)]) << position;
    EXPECT_EQ(at(downwards, double(position)), seen[std::size_t(position + 150)]) << position;
    angles alone(rope{}.frequencies(20));
    EXPECT_EQ(at(alone, position), seen[std::size_t(position + 150)]) << position;
  }
}

TEST(angles, of_no_pairs_write_nothing) {
  angles none(ladder{});
  EXPECT_EQ(at(none, index_t(5)).size(), 0u);
  EXPECT_EQ(at(none, 0.5).size(), 0u);
}

}  // namespace

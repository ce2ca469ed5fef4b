#include <longspan/cache/byte_rows.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>
#include <vector>

namespace {

using namespace longspan;
using namespace longspan::detail;

constexpr float nan = std::numeric_limits<float>::quiet_NaN(), infinity = std::numeric_limits<float>::infinity();

TEST(byte_rows, of_a_query_are_its_numbers_within_a_part_of_32000_of_the_largest) {
  std::mt19937 generator(1);
  std::normal_distribution<float> normal;
  for (std::size_t channels = 1; channels <= 70; ++channels) {
    std::vector<float> row(channels);
    for (float& x : row) x = std::clamp(normal(generator), -4.f, 4.f);
    row[channels / 2] = -4;  // the largest
    std::vector<std::int8_t> upper(channels), lower(channels);
    const bytes_of_query made(row, upper.data(), lower.data());
    int sum_of_upper = 0, sum_of_lower = 0;
    for (std::size_t c = 0; c < channels; ++c) {
      EXPECT_NEAR(made.scale * float(128 * upper[c] + lower[c]), row[c], 4.f / 32000);
      sum_of_upper += upper[c], sum_of_lower += lower[c];
    }
    EXPECT_EQ(made.upper, sum_of_upper);
    EXPECT_EQ(made.lower, sum_of_lower);
  }
}

TEST(byte_rows, of_weights_are_their_numbers_within_a_part_of_130000_of_the_largest) {
  std::vector<float> weights{0, 1, 0.5f, 1e-3f, 1e-9f, 0.999f};
  std::vector<std::uint8_t> upper(weights.size()), lower(weights.size());
  const float scale = bytes_of_weights(weights, upper.data(), lower.data());
  for (std::size_t j = 0; j < weights.size(); ++j)
    EXPECT_NEAR(scale * float(256 * upper[j] + lower[j]), weights[j], 1.f / 130000);
}

TEST(byte_rows, of_nothing_are_nothing) {
  std::vector<std::int8_t> upper(3), lower(3);
  for (const float x : {0.f, 1e-42f}) {
    const std::vector<float> row(3, x);
    const bytes_of_query made(row, upper.data(), lower.data());
    EXPECT_EQ(made.scale * float(128 * upper[0] + lower[0]), 0);
    EXPECT_EQ(bytes_of_weights(row, reinterpret_cast<std::uint8_t*>(upper.data()), reinterpret_cast<std::uint8_t*>(lower.data())),
              0);
  }
}

TEST(byte_rows, with_what_is_no_number_have_a_scale_of_nan) {
  std::vector<std::int8_t> upper(3), lower(3);
  for (const float x : {nan, infinity, -infinity}) {
    const std::vector<float> row{1, x, 2};
    EXPECT_TRUE(std::isnan(bytes_of_query(row, upper.data(), lower.data()).scale));
    EXPECT_TRUE(std::isnan(
        bytes_of_weights(row, reinterpret_cast<std::uint8_t*>(upper.data()), reinterpret_cast<std::uint8_t*>(lower.data()))));
  }
}

}  // namespace

#include <longspan/cache/byte_rows.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>
#include <vector>

#include <longspan/simd/batch.hpp>

namespace {

using namespace longspan;
using namespace longspan::detail;

constexpr float nan = std::numeric_limits<float>::quiet_NaN(), infinity = std::numeric_limits<float>::infinity();

constexpr std::size_t lanes = std::size_t(simd::lanes<batch<float>>);

TEST(byte_rows, of_a_query_are_its_numbers_within_a_part_of_32000_of_the_largest) {
  std::mt19937 generator(1);
  std::normal_distribution<float> normal;
  for (std::size_t channels = lanes; channels <= 5 * lanes; channels += lanes) {
    std::vector<float> row(channels);
    for (float& x : row) x = std::clamp(normal(generator), -4.f, 4.f);
    row[channels / 2] = -4;  // the largest
    std::vector<std::int8_t> upper(channels), lower(channels);
    const auto made = byte_rows::write_query(row.data(), index_t(channels), upper.data(), lower.data());
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
  std::vector<float> weights(3 * lanes);
  for (std::size_t j = 0; j < weights.size(); ++j) weights[j] = std::pow(0.7f, float(j));
  std::vector<std::uint8_t> upper(weights.size()), lower(weights.size());
  const float scale = byte_rows::write_weights(weights.data(), index_t(weights.size()), upper.data(), lower.data());
  for (std::size_t j = 0; j < weights.size(); ++j)
    EXPECT_NEAR(scale * float(256 * upper[j] + lower[j]), weights[j], 1.f / 130000);
}

TEST(byte_rows, of_nothing_are_nothing) {
  std::vector<std::uint8_t> upper(lanes, 7), lower(lanes, 7);
  for (const float x : {0.f, 1e-42f}) {
    const std::vector<float> row(lanes, x);
    EXPECT_EQ(byte_rows::write_weights(row.data(), index_t(lanes), upper.data(), lower.data()), 0);
    EXPECT_EQ(upper[0], 0);
    EXPECT_EQ(lower[0], 0);
  }
}

TEST(byte_rows, with_what_is_no_number_have_a_scale_of_nan) {
  std::vector<std::int8_t> upper(lanes), lower(lanes);
  for (const float x : {nan, -nan, infinity, -infinity}) {
    std::vector<float> row(lanes, 1.f);
    row.back() = x;
    EXPECT_TRUE(std::isnan(byte_rows::write_query(row.data(), index_t(lanes), upper.data(), lower.data()).scale));
  }
}

}  // namespace

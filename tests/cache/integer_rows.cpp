#include <longspan/cache/integer_rows.hpp>

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

TEST(integer_rows, are_their_numbers_within_a_part_of_65000_of_the_largest) {
  std::mt19937 generator(1);
  std::normal_distribution<float> normal;
  for (std::size_t channels = lanes; channels <= 5 * lanes; channels += lanes) {
    std::vector<float> row(channels);
    for (float& x : row) x = std::clamp(normal(generator), -4.f, 4.f);
    row[channels / 2] = -4;  // the largest
    std::vector<std::int16_t> to(channels);
    const float scale = integer_rows::write(row.data(), index_t(channels), 32767, to.data());
    for (std::size_t c = 0; c < channels; ++c) EXPECT_NEAR(scale * float(to[c]), row[c], 4.f / 65000);
    EXPECT_EQ(to[channels / 2], -32767);
  }
}

TEST(integer_rows, have_sums_of_32_bits) {
  for (const index_t depth : {1, 64, 128, 515, 516, 517, 4096, 100000}) {
    const index_t most = integer_rows::most_of(depth);
    EXPECT_LE(most * 127 * depth, std::numeric_limits<std::int32_t>::max());
    EXPECT_TRUE(most == 32767 || (most + 1) * 127 * depth > std::numeric_limits<std::int32_t>::max());
  }
}

TEST(integer_rows, of_nothing_are_nothing) {
  for (const float x : {0.f, 1e-42f}) {
    std::vector<std::int16_t> to(lanes, 7);
    const std::vector<float> row(lanes, x);
    EXPECT_EQ(integer_rows::write(row.data(), index_t(lanes), 32767, to.data()), 0);
    EXPECT_EQ(to[0], 0);
  }
}

TEST(integer_rows, with_what_is_no_number_have_a_scale_of_nan) {
  std::vector<std::int16_t> to(lanes);
  for (const float x : {nan, -nan, infinity, -infinity}) {
    std::vector<float> row(lanes, 1.f);
    row.back() = x;
    EXPECT_TRUE(std::isnan(integer_rows::write(row.data(), index_t(lanes), 32767, to.data())));
  }
}

}  // namespace

#include <longspan/simd/random_bits.hpp>

#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <limits>
#include <vector>

#include <longspan/simd/lanes.hpp>

namespace {

using namespace longspan;
using namespace longspan::detail;

constexpr std::uint64_t some_key = 0x0123456789abcdef;

TEST(random_bits, are_two_rounds_of_shifts_and_multiplications) {
  for (std::uint32_t number = 0; number < 1000; ++number) {
    std::uint32_t x = number ^ 0x89abcdef;
    x ^= x >> 16, x *= 0x7feb352d, x ^= x >> 15, x ^= 0x01234567, x *= 0x846ca68b;
    ASSERT_EQ(simd::random_bits(some_key, number), x);
  }
}

TEST(random_bits, of_different_numbers_are_different) {
  // Every step can be undone, so 2^32 numbers have 2^32 results; here those that differ in one bit.
  for (int bit = 0; bit < 32; ++bit)
    EXPECT_NE(simd::random_bits(some_key, 77u), simd::random_bits(some_key, 77u ^ (std::uint32_t(1) << bit)));
}

template <class T>
class drop_below : public testing::Test {};
using precisions = testing::Types<float, double>;
TYPED_TEST_SUITE(drop_below, precisions);

// Lane by lane what a scalar gets, whatever the register holds: results do not depend on the instruction set.
TYPED_TEST(drop_below, gives_every_lane_what_a_scalar_gets) {
  using T = TypeParam;
  using Batch = batch<T>;
  constexpr index_t lanes = simd::lanes<Batch>;
  std::array<T, std::size_t(lanes)> values, dropped;
  for (index_t l = 0; l < lanes; ++l) values[std::size_t(l)] = T(l + 1) * (l % 2 == 0 ? T(1) : T(-1));
  for (const std::int32_t bound :
       {std::numeric_limits<std::int32_t>::min(), -2000000000, -5, 0, 1500000000, std::numeric_limits<std::int32_t>::max()})
    for (std::uint32_t first = 0xffffff00; first != 300; ++first) {
      simd::store(dropped.data(), simd::drop_below(bound, some_key, first, simd::load<Batch>(values.data())));
      for (index_t l = 0; l < lanes; ++l) {
        const T alone = simd::drop_below(bound, some_key, first + std::uint32_t(l), values[std::size_t(l)]);
        ASSERT_EQ(dropped[std::size_t(l)], alone) << "lane " << l << " from " << first << " below " << bound;
        ASSERT_EQ(std::signbit(dropped[std::size_t(l)]), std::signbit(alone));
      }
    }
}

TYPED_TEST(drop_below, drops_nan_too) {
  using Batch = batch<TypeParam>;
  const Batch nan(std::numeric_limits<TypeParam>::quiet_NaN());
  EXPECT_EQ(simd::first_lane(simd::drop_below(std::numeric_limits<std::int32_t>::max(), some_key, 3, nan)), 0);
}

// How often both of two events happened, in standard deviations from where they are independent with probability p each.
double surprise(std::int64_t both, std::int64_t trials, double p) {
  return (double(both) - double(trials) * p * p) / std::sqrt(double(trials) * p * p * (1 - p * p));
}

bool drops(double share, std::uint64_t key, std::uint32_t number) {
  return double(std::int32_t(simd::random_bits(key, number))) < (share - 0.5) * 0x1p32;
}

TEST(random_bits, are_uniform_over_numbers_and_over_keys) {
  constexpr std::int64_t trials = 1 << 20;
  for (const double share : {0.001, 0.1, 0.5, 0.9}) {
    std::int64_t by_number = 0, by_key = 0;
    for (std::int64_t i = 0; i < trials; ++i)
      by_number += drops(share, some_key, std::uint32_t(i)), by_key += drops(share, simd::scramble(std::uint64_t(i)), 5);
    const double sigma = std::sqrt(double(trials) * share * (1 - share));
    EXPECT_LT(std::abs(double(by_number) - share * double(trials)), 4 * sigma) << share;
    EXPECT_LT(std::abs(double(by_key) - share * double(trials)), 4 * sigma) << share;
  }
}

// The high 10 bits by chi square: 1023 degrees of freedom, of which 1245 is five standard deviations.
TEST(random_bits, fill_their_range_evenly) {
  constexpr std::int64_t trials = 1 << 20;
  std::vector<double> count(1024);
  for (std::int64_t i = 0; i < trials; ++i) ++count[simd::random_bits(some_key, std::uint32_t(i)) >> 22];
  double chi_square = 0;
  for (const double each : count) chi_square += (each - 1024) * (each - 1024) / 1024;
  EXPECT_LT(chi_square, 1245);
  EXPECT_GT(chi_square, 800);
}

TEST(random_bits, of_numbers_and_keys_any_distance_apart_are_independent) {
  constexpr std::int64_t trials = 1 << 18;
  for (const double share : {0.1, 0.5})
    for (const std::uint32_t apart : {1u, 2u, 3u, 4u, 8u, 16u, 64u, 256u, 1000u, 4096u, 65536u}) {
      std::int64_t numbers = 0, keys = 0;
      for (std::uint32_t i = 0; i < trials; ++i) {
        numbers += drops(share, some_key, i) && drops(share, some_key, i + apart);
        keys += drops(share, simd::scramble(i), 9) && drops(share, simd::scramble(i + apart), 9);
      }
      EXPECT_LT(std::abs(surprise(numbers, trials, share)), 4) << "numbers " << apart << " apart";
      EXPECT_LT(std::abs(surprise(keys, trials, share)), 4) << "keys " << apart << " apart";
    }
}

}  // namespace

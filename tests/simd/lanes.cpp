#include <longspan/simd/lanes.hpp>

#include <gtest/gtest.h>

#include <limits>
#include <random>

#include "support/lanes.hpp"

namespace {

using namespace longspan;
using namespace longspan::detail;
using testing_support::batch_of;
using testing_support::lanes_of;

template <class Batch>
class lanes : public testing::Test {
 protected:
  using T = simd::scalar<Batch>;
  static constexpr T nan = std::numeric_limits<T>::quiet_NaN(), infinity = std::numeric_limits<T>::infinity();

  static Batch random(std::mt19937& generator) {
    std::normal_distribution<double> number;
    return batch_of<Batch>([&](index_t) { return number(generator); });
  }
};
using batches = testing::Types<batch<float>, batch<double>, float, double>;
TYPED_TEST_SUITE(lanes, batches);

TYPED_TEST(lanes, max_is_the_larger_of_each) {
  std::mt19937 generator(1);
  const TypeParam x = this->random(generator), y = this->random(generator);
  const auto a = lanes_of(x), b = lanes_of(y), larger = lanes_of(simd::max(x, y));
  for (std::size_t l = 0; l < larger.size(); ++l) EXPECT_EQ(larger[l], std::max(a[l], b[l]));
}

TYPED_TEST(lanes, max_is_nan_where_its_second_is) {
  for (const auto x : {this->nan, -this->infinity, this->infinity, decltype(this->nan)(1)})
    for (const auto lane : lanes_of(simd::max(TypeParam(x), TypeParam(this->nan)))) EXPECT_TRUE(std::isnan(lane)) << x;
}

TYPED_TEST(lanes, select_takes_each_lane_from_its_side) {
  const auto numbers = simd::lane_numbers<TypeParam>();
  using T = simd::scalar<TypeParam>;
  for (index_t cut = 0; cut <= simd::lanes<TypeParam>; ++cut) {
    const auto picked = lanes_of(simd::select(numbers < TypeParam(T(cut)), TypeParam(this->nan), TypeParam(T(7))));
    for (index_t l = 0; l < index_t(picked.size()); ++l)
      EXPECT_TRUE(l < cut ? std::isnan(picked[std::size_t(l)]) : picked[std::size_t(l)] == 7);
  }
}

TYPED_TEST(lanes, first_lane_is_lane_zero) {
  EXPECT_EQ(simd::first_lane(batch_of<TypeParam>([](index_t l) { return 5 - l; })), 5);
}

TYPED_TEST(lanes, reduce_max_finds_the_largest_wherever_it_stands) {
  for (index_t top = 0; top < simd::lanes<TypeParam>; ++top) {
    const auto value = batch_of<TypeParam>([&](index_t l) { return l == top ? -1.0 : -10.0 - double(l); });
    EXPECT_EQ(simd::reduce_max(value), -1);
  }
  EXPECT_EQ(simd::reduce_max(TypeParam(-this->infinity)), -this->infinity);
}

TYPED_TEST(lanes, reduce_add_sums_every_lane_once) {
  const auto powers = batch_of<TypeParam>([](index_t l) { return std::ldexp(1.0, int(l)); });
  EXPECT_EQ(simd::reduce_add(powers), std::ldexp(1.0, int(simd::lanes<TypeParam>)) - 1);
}

// The order of the sum is a promise of equal bits on equal widths: halves, then halves of halves.
TYPED_TEST(lanes, reduce_add_folds_by_halves) {
  std::mt19937 generator(2);
  for (int trial = 0; trial < 100; ++trial) {
    const TypeParam value = this->random(generator);
    auto folded = lanes_of(value);
    for (; folded.size() > 1; folded.resize(folded.size() / 2))
      for (std::size_t l = 0; l < folded.size() / 2; ++l) folded[l] += folded[l + folded.size() / 2];
    EXPECT_EQ(simd::reduce_add(value), folded[0]);
  }
}

TYPED_TEST(lanes, spread_gives_each_lane_a_batch_of_its_own) {
  std::mt19937 generator(1);
  const auto value = this->random(generator);
  const auto each = lanes_of(value);
  std::vector<typename TestFixture::T> spread(each.size() * each.size());
  simd::spread(value, spread.data());
  for (std::size_t i = 0; i < spread.size(); ++i) EXPECT_EQ(spread[i], each[i / each.size()]) << i;
}

}  // namespace

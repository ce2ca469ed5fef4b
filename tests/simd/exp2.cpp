#include <longspan/simd/exp2.hpp>

#include <gtest/gtest.h>

#include <limits>

#include "support/lanes.hpp"
#include "support/worse.hpp"

namespace {

using namespace longspan;
using namespace longspan::detail;
using testing_support::batch_of;
using testing_support::lanes_of;

template <class T>
class exp2 : public testing::Test {
 protected:
  using limits = std::numeric_limits<T>;
  static constexpr index_t lanes = simd::lanes<batch<T>>;
  static constexpr T lowest = T(limits::min_exponent - 1);  // 2^lowest is the smallest normal number

  // What every lane makes of x, which must be the same.
  static T of(T x) {
    const auto each = lanes_of(simd::exp2(batch<T>(x)));
    for (const T lane : each) EXPECT_TRUE(lane == each[0] || (std::isnan(lane) && std::isnan(each[0]))) << x;
    return each[0];
  }

  // The error in units of the last place of the exact power.
  static double ulps(T x, T power) {
    const long double exact = std::exp2(static_cast<long double>(x));
    int exponent;
    std::frexp(exact, &exponent);
    return double(std::abs(power - exact) / std::ldexp(1.0L, exponent - limits::digits));
  }
};
using numbers = testing::Types<float, double>;
TYPED_TEST_SUITE(exp2, numbers);

TYPED_TEST(exp2, is_right_to_three_ulps_over_the_weights_of_a_softmax) {
  using T = TypeParam;
  const index_t steps = 100000;
  double worst = 0;
  for (index_t step = 0; step < steps; step += this->lanes) {
    const auto x = batch_of<batch<T>>([&](index_t l) { return this->lowest * T(step + l) / T(steps + 64); });
    const auto at = lanes_of(x), power = lanes_of(simd::exp2(x));
    for (std::size_t l = 0; l < at.size(); ++l) worst = testing_support::worse(worst, this->ulps(at[l], power[l]));
  }
  EXPECT_LE(worst, 3);
}

// Where the rounding to a whole number switches, and at whole numbers themselves.
TYPED_TEST(exp2, is_right_at_halves) {
  using T = TypeParam;
  for (T x = 0; x > this->lowest; x -= T(0.5))
    for (const T near : {x, std::nextafter(x, T(-1e30)), std::nextafter(x, T(1))})
      EXPECT_LE(this->ulps(near, this->of(near)), 3) << near;
}

TYPED_TEST(exp2, never_rises_towards_smaller_exponents) {
  using T = TypeParam;
  T before = 2;
  for (T x = 0; x > -3; x -= T(1) / 4096) {
    const T power = this->of(x);
    EXPECT_LE(power, before * (1 + 3 * std::numeric_limits<T>::epsilon())) << x;
    before = power;
  }
}

TYPED_TEST(exp2, is_exactly_zero_at_minus_infinity_and_far_below) {
  using T = TypeParam;
  using limits = std::numeric_limits<T>;
  for (const T x :
       {-limits::infinity(), limits::lowest(), T(-1e30), T(-1e5), 2 * this->lowest, this->lowest - limits::digits - 1}) {
    EXPECT_EQ(this->of(x), T(0)) << x;
    EXPECT_FALSE(std::signbit(this->of(x))) << x;
  }
}

TYPED_TEST(exp2, keeps_nan_in_its_lane) {
  using T = TypeParam;
  const T nan = std::numeric_limits<T>::quiet_NaN();
  EXPECT_TRUE(std::isnan(this->of(nan)));
  for (index_t bad = 0; bad < this->lanes; ++bad) {
    const auto powers = lanes_of(simd::exp2(batch_of<batch<T>>([&](index_t l) { return l == bad ? nan : T(-l); })));
    for (index_t l = 0; l < this->lanes; ++l) EXPECT_EQ(std::isnan(powers[std::size_t(l)]), l == bad);
  }
}

// The first weight after a larger maximum is a power of what was rounded: slightly above 0 is met too.
TYPED_TEST(exp2, is_right_above_zero) {
  using T = TypeParam;
  for (T x = T(1) / 1024; x < 100; x = x * T(1.37)) EXPECT_LE(this->ulps(x, this->of(x)), 3) << x;
}

}  // namespace

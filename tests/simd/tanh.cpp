#include <longspan/simd/tanh.hpp>

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "support/lanes.hpp"
#include "support/worse.hpp"

namespace {

using namespace longspan;
using namespace longspan::detail;
using testing_support::batch_of;
using testing_support::lanes_of;

template <class T>
class tanh_of : public testing::Test {
 protected:
  using limits = std::numeric_limits<T>;
  static constexpr index_t lanes = simd::lanes<batch<T>>;

  static T of(T x, T rate = 1) { return lanes_of(simd::tanh(batch<T>(x), rate))[0]; }

  // The error in units of the last place of the exact value.
  static double ulps(T x, T value) {
    const long double exact = std::tanh(static_cast<long double>(x));
    int exponent;
    std::frexp(exact, &exponent);
    return double(std::abs(value - exact) / std::ldexp(1.0L, exponent - limits::digits));
  }
};
using numbers = testing::Types<float, double>;
TYPED_TEST_SUITE(tanh_of, numbers);

TYPED_TEST(tanh_of, is_right_to_three_ulps) {
  using T = TypeParam;
  const index_t steps = 200000;
  double worst = 0;
  for (index_t step = 0; step < steps; step += this->lanes) {
    const auto x = batch_of<batch<T>>([&](index_t l) { return T(20) * T(step + l) / T(steps) - T(10); });
    const auto at = lanes_of(x), value = lanes_of(simd::tanh(x));
    for (std::size_t l = 0; l < at.size(); ++l)
      if (at[l] != 0) worst = testing_support::worse(worst, this->ulps(at[l], value[l]));
  }
  EXPECT_LE(worst, 3);
}

TYPED_TEST(tanh_of, is_right_for_small_numbers_and_keeps_the_sign_of_zero) {
  using T = TypeParam;
  for (T x = 1; x > std::numeric_limits<T>::min() * 4; x /= T(1.7)) {
    EXPECT_LE(this->ulps(x, this->of(x)), 3) << x;
    EXPECT_EQ(this->of(-x), -this->of(x)) << x;
  }
  EXPECT_EQ(this->of(T(0)), 0);
  EXPECT_FALSE(std::signbit(this->of(T(0))));
  EXPECT_TRUE(std::signbit(this->of(T(-0.0))));
}

TYPED_TEST(tanh_of, is_one_far_out) {
  using T = TypeParam;
  for (const T x : {T(30), T(1e5), std::numeric_limits<T>::max(), std::numeric_limits<T>::infinity()}) {
    EXPECT_EQ(this->of(x), 1) << x;
    EXPECT_EQ(this->of(-x), -1) << x;
    EXPECT_EQ(this->of(x, 50), 1) << x;
  }
}

TYPED_TEST(tanh_of, takes_a_rate) {
  using T = TypeParam;
  for (const T x : {T(-70), T(-3), T(0.01), T(40)})
    EXPECT_NEAR(this->of(x, T(0.02)), std::tanh(x * T(0.02)), 4 * std::numeric_limits<T>::epsilon()) << x;
}

TYPED_TEST(tanh_of, keeps_nan_in_its_lane) {
  using T = TypeParam;
  const T nan = std::numeric_limits<T>::quiet_NaN();
  for (index_t bad = 0; bad < this->lanes; ++bad) {
    const auto values = lanes_of(simd::tanh(batch_of<batch<T>>([&](index_t l) { return l == bad ? nan : T(l - 2); })));
    for (index_t l = 0; l < this->lanes; ++l) EXPECT_EQ(std::isnan(values[std::size_t(l)]), l == bad);
  }
}

TYPED_TEST(tanh_of, of_a_dual_number_has_the_slope_1_less_its_square) {
  using T = TypeParam;
  for (const T x : {T(-2), T(0), T(0.3)}) {
    const dual<T> y = simd::tanh(dual<T>(x, 3), T(0.5));
    EXPECT_EQ(y.value, simd::tanh(x, T(0.5)));
    EXPECT_NEAR(y.slope, 3 * 0.5 * (1 - y.value * y.value), 8 * std::numeric_limits<T>::epsilon());
  }
}

}  // namespace

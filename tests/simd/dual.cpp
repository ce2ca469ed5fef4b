#include <longspan/simd/dual.hpp>

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "support/lanes.hpp"

namespace {

using namespace longspan;
using namespace longspan::detail;
using testing_support::batch_of;
using testing_support::lanes_of;

template <class Visit>
void for_each_function(Visit visit) {
  using std::exp, std::log, std::log1p, std::sqrt, std::tanh, std::sin, std::cos, std::erf;
  visit("exp", {-3, -0.5, 0, 0.25, 4}, [](auto x) { return exp(x); });
  visit("log", {0.01, 0.5, 1, 3, 40}, [](auto x) { return log(x); });
  visit("log1p", {-0.9, -1e-3, 0, 1e-3, 7}, [](auto x) { return log1p(x); });
  visit("sqrt", {0.01, 0.5, 1, 30}, [](auto x) { return sqrt(x); });
  visit("tanh", {-4, -0.5, 0, 0.1, 2}, [](auto x) { return tanh(x); });
  visit("sin", {-4, -0.5, 0, 0.1, 2}, [](auto x) { return sin(x); });
  visit("cos", {-4, -0.5, 0, 0.1, 2}, [](auto x) { return cos(x); });
  visit("erf", {-2, -0.5, 0, 0.1, 1.5}, [](auto x) { return erf(x); });
  visit("a sum", {-2, 0, 3}, [](auto x) { return x + 2.0 + x + (1.0 + x); });
  visit("a difference", {-2, 0, 3}, [](auto x) { return (3.0 - x) - (x - 1.0) - x * x; });
  visit("a product", {-2, 0, 3}, [](auto x) { return x * x * 0.5 * (x + 1.0); });
  visit("a quotient", {-2, 0, 3}, [](auto x) { return x / (x * x + 1.0) + 2.0 / (x + 10.0) + x / 4.0; });
  visit("a sign", {-2, 0, 3}, [](auto x) { return -x * (+x); });
  visit("steps in place", {-2, 0.5, 3}, [](auto x) {
    auto y = x;
    y += x * x, y *= x, y -= 3 * x, y /= x * x + 1.0;
    return y;
  });
  visit("a chain", {-1, 0.2, 2}, [](auto x) { return 30.0 * tanh(log1p(exp(x)) / 30.0) - sqrt(x * x + 1.0) * sin(x); });
}

TEST(dual, slopes_are_those_of_central_differences) {
  for_each_function([](const char* name, const std::vector<double>& points, auto f) {
    for (const double x : points) {
      const double step = 1e-5 * std::max(0.01, std::abs(x)), difference = (f(x + step) - f(x - step)) / (2 * step);
      const dual<double> y = f(dual<double>(x, 1));
      EXPECT_EQ(y.value, f(x)) << name << " at " << x;
      EXPECT_NEAR(y.slope, difference, 1e-8 * (1 + std::abs(difference))) << name << " at " << x;
      EXPECT_DOUBLE_EQ(f(dual<double>(x, -2.5)).slope, -2.5 * y.slope) << name << " at " << x;
      EXPECT_EQ(f(dual<double>(x)).slope, 0) << name << " at " << x;
    }
  });
}

// xsimd's functions differ from the scalar ones in the last places.
template <class T>
void expect_lanes_like_scalars() {
  for_each_function([](const char* name, const std::vector<double>& points, auto f) {
    using Batch = batch<T>;
    const auto at = [&](index_t l) { return T(points[std::size_t(l) % points.size()]); };
    const dual<Batch> y = f(dual<Batch>(batch_of<Batch>(at), batch_of<Batch>([](index_t l) { return l + 1; })));
    const auto values = lanes_of(y.value), slopes = lanes_of(y.slope);
    for (index_t l = 0; l < index_t(values.size()); ++l) {
      const dual<T> wanted = f(dual<T>(at(l), T(l + 1)));
      const T error = 32 * std::numeric_limits<T>::epsilon();
      EXPECT_NEAR(values[std::size_t(l)], wanted.value, error * (1 + std::abs(wanted.value))) << name << " at " << at(l);
      EXPECT_NEAR(slopes[std::size_t(l)], wanted.slope, error * T(l + 1) * (1 + std::abs(wanted.slope)))
          << name << " at " << at(l);
    }
  });
}

TEST(dual, lanes_are_like_scalars) {
  expect_lanes_like_scalars<float>();
  expect_lanes_like_scalars<double>();
}

TEST(dual, constants_of_any_precision_mix_in) {
  const dual<double> x(3, 1);
  const dual<batch<float>> lanes(batch<float>(3.f), batch<float>(1.f));
  EXPECT_EQ((2.f * x + 1).value, 7);
  EXPECT_EQ((2.f * x + 1).slope, 2);
  for (const float slope : lanes_of((2.0 * lanes + 1 - batch<float>(5.f)).slope)) EXPECT_EQ(slope, 2);
  for (const float value : lanes_of((2.0 * lanes + 1 - batch<float>(5.f)).value)) EXPECT_EQ(value, 2);
}

TEST(dual, comparisons_look_at_the_value_alone) {
  const dual<double> low(1, 100), high(2, -100);
  EXPECT_TRUE(low < high && low <= high && high > low && high >= low);
  EXPECT_FALSE(high < low || high <= low || low > high || low >= high);
  EXPECT_TRUE((low <= dual<double>(1, 5)) && (low >= 1) && !(low < 1));
}

}  // namespace

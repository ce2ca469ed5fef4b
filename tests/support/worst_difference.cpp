// The tests compare by helpers that a NaN does not pass.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "support/naive_backward.hpp"
#include "support/tensors.hpp"

namespace {

using namespace testing_support;

constexpr double nan = std::numeric_limits<double>::quiet_NaN(), infinity = std::numeric_limits<double>::infinity();

tensor<double> of(std::initializer_list<double> numbers) {
  tensor<double> made(1, 1, 1, Eigen::Index(numbers.size()));
  std::copy(numbers.begin(), numbers.end(), made.data());
  return made;
}

TEST(worst_difference, is_the_largest_wherever_it_stands) {
  EXPECT_EQ(worst_difference(of({1, 2, 3}), of({1, 2, 3})), 0);
  EXPECT_EQ(worst_difference(of({1, 2, 3}), of({1, 2, 7})), 4);
  EXPECT_EQ(worst_difference(of({1, -2, 3}), of({1, 2, 7})), 4);
  EXPECT_EQ(worst_difference(of({1, 9, 3}), of({1, 2, 7})), 7);
  EXPECT_EQ(worst_difference(of({}), of({})), 0);
}

TEST(worst_difference, lets_no_nan_pass) {
  EXPECT_FALSE(worst_difference(of({nan, 2, 3}), of({1, 2, 3})) < 1e9);
  EXPECT_FALSE(worst_difference(of({1, 2, 3}), of({1, nan, 4})) < 1e9);
  EXPECT_FALSE(worst_difference(of({9, 2, nan}), of({1, 2, 3})) < 1e9);
  EXPECT_EQ(worst_difference(of({nan, 2}), of({nan, 2})), 0);
}

TEST(worst_difference, tells_infinities_apart) {
  EXPECT_EQ(worst_difference(of({-infinity, 2}), of({-infinity, 2})), 0);
  EXPECT_EQ(worst_difference(of({-infinity, 2}), of({infinity, 2})), infinity);
  EXPECT_EQ(worst_difference(of({1, infinity}), of({1, 2})), infinity);
}

TEST(worst_difference, of_other_sizes_is_no_number) {
  EXPECT_TRUE(std::isnan(worst_difference(of({1, 2}), of({1, 2, 3}))));
  EXPECT_TRUE(std::isnan(worst_difference(of({}), of({1}))));
}

TEST(root_mean_square_difference, counts_every_number) {
  EXPECT_EQ(root_mean_square_difference(of({1, 2, 3, 4}), of({1, 2, 3, 4})), 0);
  EXPECT_EQ(root_mean_square_difference(of({1, 2, 3, 4}), of({4, 2, 3, 8})), 2.5);
  EXPECT_EQ(root_mean_square_difference(of({}), of({})), 0);
  EXPECT_TRUE(std::isnan(root_mean_square_difference(of({nan, 2}), of({1, 2}))));
  EXPECT_TRUE(std::isnan(root_mean_square_difference(of({1, 2}), of({1}))));
}

TEST(worse, takes_a_nan_for_the_worst) {
  EXPECT_EQ(worse(1, 2), 2);
  EXPECT_EQ(worse(2, 1), 2);
  EXPECT_TRUE(std::isnan(worse(nan, 1)));
  EXPECT_TRUE(std::isnan(worse(1, nan)));
  EXPECT_EQ(worse({1, 3, 2}), 3);
  EXPECT_TRUE(std::isnan(worse({nan, 1, 2})));
  EXPECT_TRUE(std::isnan(worse({1, nan, 2})));
  EXPECT_TRUE(std::isnan(worse({1, 2, nan})));
}

TEST(worst_gradient, lets_no_nan_pass) {
  const auto all = [](double q, double k, double v) { return longspan::gradients{of({q, 0}), of({k, 0}), of({v, 0})}; };
  EXPECT_EQ(worst_gradient(all(1, 2, 3), all(2, 4, 3)), 2);
  EXPECT_TRUE(std::isnan(worst_gradient(all(nan, 2, 3), all(1, 2, 3))));
  EXPECT_TRUE(std::isnan(worst_gradient(all(1, nan, 3), all(1, 2, 3))));
  EXPECT_TRUE(std::isnan(worst_gradient(all(1, 2, nan), all(1, 2, 3))));
}

}  // namespace

#include <longspan/mechanism/composed.hpp>

#include <gtest/gtest.h>

#include <cmath>
#include <tuple>
#include <vector>

#include <longspan/simd/dual.hpp>
#include <longspan/transform/keys.hpp>

#include "support/lanes.hpp"

namespace {

using namespace longspan;
using namespace longspan::detail;
using testing_support::lanes_of;

const auto twice = [](auto logit, const auto&) { return 2.f * logit; };
const auto one_more = [](auto logit, const auto&) { return logit + 1.0; };

TEST(composed, runs_in_the_order_written) {
  EXPECT_EQ(composed(std::tuple{twice, one_more})(3.0, keys_under<double>{}), 7);
  EXPECT_EQ(composed(std::tuple{one_more, twice})(3.0, keys_under<double>{}), 8);
  EXPECT_EQ(composed(std::tuple{})(3.0, keys_under<double>{}), 3);
}

TEST(composed, hands_the_keys_to_every_function) {
  const auto add_distance = [](auto logit, const auto& keys) { return logit + keys.distance(); };
  EXPECT_EQ(composed(std::tuple{add_distance, add_distance})(0.0, keys_under<double>{4, 9}), 10);
}

// Each answer is taken back to what came in, so that the next body meets the logits' own precision.
TEST(composed, keeps_the_kind_of_number) {
  const auto in_double = [](auto logit, const auto&) { return double(logit) / 3; };
  const float third = composed(std::tuple{in_double, twice})(1.f, keys_under<float>{});
  EXPECT_EQ(third, 2 * float(1 / 3.0));
  static_assert(std::is_same_v<decltype(composed(std::tuple{one_more})(1.f, keys_under<float>{})), float>);
  static_assert(std::is_same_v<decltype(composed(std::tuple{twice})(1.0, keys_under<double>{})), double>);
  EXPECT_EQ(composed(std::tuple{twice, one_more})(dual<double>(3, 1), keys_under<double>{}).slope, 2);
  using Batch = batch<double>;
  for (const double lane : lanes_of(composed(std::tuple{twice})(Batch(1.5), keys_under<Batch>{}))) EXPECT_EQ(lane, 3);
}

// A function may know its derivative by the logit; derivatives by its parameters are asked of its body, by keys that are dual.
struct knows_its_slope {
  auto operator()(const auto& logit, const auto&) const { return 3 * logit; }
  auto slope(double, const auto&) const { return 5.0; }
};

TEST(composed, asks_for_the_slope_of_a_function_that_knows_it) {
  const composed both(std::tuple{twice, knows_its_slope{}});
  const dual<double> z = both(dual<double>(1, 1), keys_under<double>{});
  EXPECT_EQ(z.value, 6);
  EXPECT_EQ(z.slope, 10);
  EXPECT_EQ(both(dual<double>(1, 1), keys_under<dual<double>>{}).slope, 6);
}

// A function may take the gradient of what it returned: that of the result times the slopes of the functions after it.
struct taker {
  std::vector<double>* taken;
  auto operator()(const auto& logit, const auto&) const { return logit + 1; }
  void take(double, double d_logit, const auto&, double*) const { taken->push_back(d_logit); }
};
const auto infinitely_steep = [](auto logit, const auto&) { return logit * HUGE_VAL; };

TEST(composed, hands_the_gradient_of_its_logit_to_each_function_that_takes_it) {
  std::vector<double> first, last;
  const composed all(std::tuple{twice, taker{&first}, twice, knows_its_slope{}, taker{&last}});
  static_assert(decltype(all)::takes && !composed<>::takes && !decltype(composed(std::tuple{twice}))::takes);
  double* const no_sums = nullptr;
  all.take(3.0, 0.5, keys_under<double>{}, no_sums);
  EXPECT_EQ(first, std::vector<double>{0.5 * 2 * 5});
  EXPECT_EQ(last, std::vector<double>{0.5});
}

TEST(composed, hands_on_no_gradient_where_there_is_none) {
  std::vector<double> taken;
  double* const no_sums = nullptr;
  composed(std::tuple{taker{&taken}, infinitely_steep}).take(3.0, 0.0, keys_under<double>{}, no_sums);
  EXPECT_EQ(taken, std::vector<double>{0});
}

TEST(tempered, collects_the_factors_at_the_head) {
  const auto half = tempered(0.5, row_factor{3}, row_factor{4}, one_more, row_factor{2});
  EXPECT_EQ(half.factor, 6);
  EXPECT_EQ(half.function(3.0, keys_under<double>{}), 8);
  static_assert(std::is_same_v<decltype(tempered(1.0, row_factor{3}).function), composed<>>);
  EXPECT_EQ(tempered(5.0).factor, 5);
}

}  // namespace

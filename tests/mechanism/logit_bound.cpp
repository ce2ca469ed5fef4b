#include <longspan/mechanism/logit_bound.hpp>

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include <longspan/longspan.hpp>

#include "support/logits.hpp"
#include "support/tensors.hpp"

namespace {

using namespace longspan;
using namespace longspan::detail;
using namespace testing_support;

// No logit of a score up to some score, under some keys, is above what the transform says; and where it is `exact`, one is as large.
template <class F, class Bound>
void expect_bound(const char* name, const F& part, const Bound& bound, bool exact = true) {
  for (const index_t position : {0, 20, 60})
    for (const interval keys : {interval{0, 1}, {0, 61}, {5, 30}, {21, 22}, {40, 61}})
      for (const double most : some_scores) {
        const query_row row{.position = position, .keys = 61, .seen = 30, .head = 1, .heads = 2, .channels = 16};
        const double said = most_of(bound_of_transform(bound), row)(most, keys);
        double largest = -std::numeric_limits<double>::infinity();
        for (index_t j = keys.first; j < keys.last; ++j)
          for (const double less : {0.0, 0.1, 1.0, 10.0}) largest = std::max(largest, logit(part, row, j, most - less));
        const double rounding = 1e-6 * (1 + std::abs(largest));
        EXPECT_LE(largest, said + rounding) << name << " at " << position << ", keys from " << keys.first << ", " << most;
        if (exact) {
          EXPECT_GE(largest, said - rounding) << name << " at " << position << ", keys from " << keys.first << ", " << most;
        }
      }
}
template <class F>
void expect_bound(const char* name, const F& part, bool exact = true) {
  expect_bound(name, part, part, exact);
}

TEST(logit_bound, is_above_every_logit) {
  expect_bound("alibi", alibi{});
  expect_bound("growing alibi", alibi{.slopes = per_head{-0.3}});
  expect_bound("scale_invariant", scale_invariant{}, false);
  expect_bound("scale_invariant, general", scale_invariant{.tau = 3, .alpha = 1.2, .beta = 2}, false);
  expect_bound("softcap", softcap{5});
  expect_bound("temperature", temperature{1.5});
  expect_bound("log_n", log_n{.trained = 64});
  expect_bound("negative temperature", temperature{-1.5}, false);
}

TEST(logit_bound, of_tables_is_above_every_logit) {
  const reach all{.seen = {-60, 61}, .touched = {-160, 61}};
  const by_distance falls{[](index_t t) { return -0.1 * double(t) * double(t); }};
  const by_distance waves{[](index_t t) { return affine{1 + 0.5 * std::cos(double(t)), std::sin(double(t))}; }};
  const by_distance negative{[](index_t t) { return affine{std::cos(double(t)), 0.0}; }};
  expect_bound("falling", falls, falls.prepare<float>(all));
  expect_bound("waves", waves, waves.prepare<double>(all));
  expect_bound("negative", negative, negative.prepare<double>(all), false);
  expect_bound("scale_invariant", scale_invariant{}, scale_invariant{}.prepare<float>(all), false);
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const by_distance unknown{[=](index_t t) { return t == 3 ? nan : 0.0; }};
  const auto table = unknown.prepare<double>(all);
  const auto most = table.at_most({.position = 10});
  EXPECT_EQ(most(1.0, {0, 7}), 1.0);
  EXPECT_EQ(most(1.0, {0, 8}), std::numeric_limits<double>::infinity());
}

TEST(logit_bound, of_forgetting_is_above_every_logit) {
  const auto c = normal<float>(1, 2, 61, 1, 3);
  const forgetting part{view<const float>{c.data(), {1, 2, 61, 1}, {122, 61, 1, 1}}};
  expect_bound("forgetting", part);
}

// Transforms bound each other's logits in their order, from the product of the norms.
TEST(logit_bound, composes_transforms) {
  const bound_transforms<std::tuple<temperature, alibi, softcap>> transforms{0.5, {temperature{2.0}, alibi{{0.1}}, softcap{6}}};
  const query_row row{.position = 30, .keys = 31, .seen = 31, .channels = 16};
  const auto most = logit_bounds_of(transforms).of_row<double>(row, 4.0);
  EXPECT_NEAR(most(5.0, {0, 11}), 6 * std::tanh((0.5 * 4 * 5 * 2 - 2) / 6), 1e-12);
  EXPECT_TRUE(std::isnan(most(std::numeric_limits<double>::quiet_NaN(), {0, 11})));
}

}  // namespace

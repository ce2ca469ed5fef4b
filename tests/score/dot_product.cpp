#include <longspan/score/dot_product.hpp>

#include <gtest/gtest.h>

#include <limits>
#include <vector>

#include <longspan/score/concept.hpp>

#include "support/prepared.hpp"
#include "support/words.hpp"

namespace {

using namespace longspan;
using testing_support::score_of;
using testing_support::words_of;

static_assert(score<dot_product>);

TEST(dot_product, divides_by_the_root_of_the_channels_unless_given) {
  EXPECT_DOUBLE_EQ(score_of<double>(dot_product{}, {1, 2, 3, 4}, {5, -6, 7, 8}), (5 - 12 + 21 + 32) / 2.0);
  EXPECT_DOUBLE_EQ(score_of<double>(dot_product{}, {3}, {-5}), -15);
  EXPECT_NEAR(score_of<float>(dot_product{}, {1, 2, 3}, {5, -6, 7}), 14 / std::sqrt(3.0), 1e-6);
}

TEST(dot_product, takes_any_finite_scale) {
  for (const double scale : {0.0, 1.0, -0.25, 100.0})
    EXPECT_DOUBLE_EQ(score_of<double>(dot_product{.scale = scale}, {1, 2, 3}, {5, -6, 7}), 14 * scale);
}

// The scale is a factor of the score: prepared rows are the rows themselves.
TEST(dot_product, leaves_rows) {
  std::vector<float> query{1, 2, 3}, key = query;
  dot_product{}.query(std::span(query));
  dot_product{}.key(std::span(key));
  EXPECT_EQ(query, (std::vector<float>{1, 2, 3}));
  EXPECT_EQ(key, (std::vector<float>{1, 2, 3}));
}

TEST(dot_product, names_what_it_refuses) {
  const auto words = [](const dot_product& part) { return words_of([&] { part.check({}); }); };
  EXPECT_EQ(words({}), "");
  EXPECT_EQ(words({.scale = 0}), "");
  EXPECT_EQ(words({.scale = std::numeric_limits<double>::infinity()}), "dot_product: scale must be finite, not inf");
  EXPECT_NE(words({.scale = std::numeric_limits<double>::quiet_NaN()}), "");
}

}  // namespace

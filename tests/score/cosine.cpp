#include <longspan/score/cosine.hpp>

#include <gtest/gtest.h>

#include <random>

#include <longspan/score/concept.hpp>

#include "support/prepared.hpp"
#include "support/turned.hpp"

namespace {

using namespace longspan;
using testing_support::score_of;

static_assert(score<cosine>);

TEST(cosine, is_one_for_parallel_rows_whatever_their_norms) {
  for (const double scale : {1e-3, 1.0, 1e6}) {
    EXPECT_NEAR(score_of<double>(cosine{}, {1 * scale, 2 * scale, -3 * scale}, {1, 2, -3}), 1, 1e-6);
    EXPECT_NEAR(score_of<double>(cosine{}, {1 * scale, 2 * scale, -3 * scale}, {-2, -4, 6}), -1, 1e-6);
  }
}

TEST(cosine, is_zero_for_orthogonal_rows) {
  EXPECT_NEAR(score_of<double>(cosine{}, {1, 2, 0}, {-2, 1, 9}), 0, 1e-15);
  EXPECT_EQ(score_of<double>(cosine{}, {1, 0}, {0, 7}), 0);
}

// arXiv 2501.08570's code divides by |q| + 1e-9.
TEST(cosine, divides_by_the_norm_and_a_little) {
  EXPECT_DOUBLE_EQ(score_of<double>(cosine{}, {3, 4}, {1, 0}), 3 / (5 + 1e-9) / (1 + 1e-9));
  EXPECT_NEAR(score_of<double>(cosine{}, {3e-9, 4e-9}, {1, 0}), 0.5, 1e-8);
}

TEST(cosine, of_a_zero_row_is_zero) {
  EXPECT_EQ(score_of<double>(cosine{}, {0, 0, 0}, {1, 2, 3}), 0);
  EXPECT_EQ(score_of<float>(cosine{}, {1, 2, 3}, {0, 0, 0}), 0);
  EXPECT_EQ(score_of<float>(cosine{}, {0}, {0}), 0);
}

TEST(cosine, stays_between_minus_one_and_one) {
  std::mt19937 generator(1);
  std::normal_distribution<float> number;
  for (int trial = 0; trial < 300; ++trial) {
    std::vector<float> q(9), k(9);
    for (float& x : q) x = number(generator);
    for (float& x : k) x = number(generator) * 100;
    EXPECT_LE(std::abs(score_of<float>(cosine{}, q, k)), 1 + 1e-6f);
  }
}

TEST(cosine, takes_gradients_back) {
  const auto row = testing_support::random_row(9);
  testing_support::expect_transpose([](auto from, auto gradient) { cosine{}.query_back(from, gradient); },
                                    [](auto moved) { cosine{}.query(moved); }, row);
  testing_support::expect_transpose([](auto from, auto gradient) { cosine{}.key_back(from, gradient); },
                                    [](auto moved) { cosine{}.key(moved); }, row);
}

// At zero the row is divided by epsilon alone.
TEST(cosine, takes_the_gradient_of_a_zero_row_back_finite) {
  const std::vector<double> zeros(3);
  std::vector<double> gradient{1, 2, 3};
  cosine{}.query_back(std::span<const double>(zeros), std::span(gradient));
  EXPECT_DOUBLE_EQ(gradient[1], 2e9);
}

}  // namespace

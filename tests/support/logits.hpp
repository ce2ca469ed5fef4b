#pragma once

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include <longspan/simd/batch.hpp>
#include <longspan/transform/concept.hpp>

#include "lanes.hpp"

namespace testing_support {

// The logit that a transform makes of a score, for the key at a position: as the reference asks, with T a double or a dual number.
template <class T, class Transform>
T logit(const Transform& part, const longspan::query_row& row, longspan::index_t key, T score) {
  return longspan::detail::as_logit<T>(part(row)(score, longspan::detail::keys_under<double>{key, row.position}));
}

inline constexpr double some_scores[] = {-7, -1.5, -1e-3, 0, 0.25, 1, 3, 30};

// The slope of the one body on dual numbers is that of a central difference.
template <class Transform>
void expect_slopes(const Transform& part, const longspan::query_row& row) {
  static_assert(longspan::differentiable<Transform>);
  for (const double score : some_scores)
    for (longspan::index_t key = row.position - 2; key < row.position + 3; ++key) {
      const double step = 1e-6 * (1 + std::abs(score));
      const double difference = (logit(part, row, key, score + step) - logit(part, row, key, score - step)) / (2 * step);
      const longspan::dual<double> z = logit(part, row, key, longspan::dual<double>(score, 1));
      EXPECT_EQ(z.value, logit(part, row, key, score));
      EXPECT_NEAR(z.slope, difference, 1e-7 * (1 + std::abs(difference))) << "score " << score << ", key " << key;
    }
}

// Each lane of a batch is what the scalar is at its key, for values and for slopes.
template <class T, class Transform>
void expect_lanes(const Transform& part, const longspan::query_row& row) {
  using Batch = longspan::simd::batch<T>;
  const auto score = [](longspan::index_t l) { return some_scores[std::size_t(l) % std::size(some_scores)]; };
  const longspan::index_t first = row.position - 3;
  const longspan::detail::keys_under<Batch> keys{first, row.position, longspan::simd::lane_numbers<Batch>()};
  const Batch scores = batch_of<Batch>(score), z = longspan::detail::as_logit<Batch>(part(row)(scores, keys));
  const auto sloped =
      longspan::detail::as_logit<longspan::dual<Batch>>(part(row)(longspan::dual<Batch>(scores, Batch(T(1))), keys));
  const auto values = lanes_of(z), same = lanes_of(sloped.value), slopes = lanes_of(sloped.slope);
  for (longspan::index_t l = 0; l < longspan::index_t(values.size()); ++l) {
    const longspan::dual<double> wanted = logit(part, row, first + l, longspan::dual<double>(double(T(score(l))), 1));
    const double error = 16 * double(std::numeric_limits<T>::epsilon());
    EXPECT_NEAR(values[std::size_t(l)], wanted.value, error * (1 + std::abs(wanted.value))) << "lane " << l;
    EXPECT_NEAR(same[std::size_t(l)], wanted.value, error * (1 + std::abs(wanted.value))) << "lane " << l;
    EXPECT_NEAR(slopes[std::size_t(l)], wanted.slope, error * (1 + std::abs(wanted.slope))) << "lane " << l;
  }
}

// One body serves the reference, the kernel and the gradient.
template <class Transform>
void expect_one_body(const Transform& part, const longspan::query_row& row) {
  expect_slopes(part, row);
  expect_lanes<float>(part, row);
  expect_lanes<double>(part, row);
}

}  // namespace testing_support

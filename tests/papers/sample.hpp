#pragma once

#include <cmath>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace testing_support {

// Independent samples of one number.
struct sample {
  std::vector<double> numbers;

  double mean() const {
    double sum = 0;
    for (const double x : numbers) sum += x;
    return sum / double(numbers.size());
  }
  double variance() const {
    const double middle = mean();
    double sum = 0;
    for (const double x : numbers) sum += (x - middle) * (x - middle);
    return sum / double(numbers.size() - 1);
  }
  // The standard error of the mean.
  double error() const { return std::sqrt(variance() / double(numbers.size())); }
};

// A mean in print: its last digit is rounded, and it was drawn from some rows.
struct printed_mean {
  double value, half_digit, rows;
};

// Two sampled means agree within four standard errors of their difference. `widest` bounds our own standard error, so that no test
// passes by being vague.
inline void expect_mean(const sample& ours, const printed_mean& printed, double widest, const std::string& what) {
  const double error = std::sqrt(ours.variance() * (1 / double(ours.numbers.size()) + 1 / printed.rows));
  EXPECT_NEAR(ours.mean(), printed.value, 4 * error + printed.half_digit) << what;
  EXPECT_LT(ours.error(), widest) << what;
}

}  // namespace testing_support

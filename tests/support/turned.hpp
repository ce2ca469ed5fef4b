#pragma once

#include <gtest/gtest.h>

#include <random>
#include <span>
#include <vector>

#include <longspan/position/concept.hpp>
#include <longspan/position/rotate.hpp>

namespace testing_support {

// A row of standard normal channels.
inline std::vector<double> random_row(longspan::index_t channels, unsigned seed = 1) {
  std::mt19937 generator(seed);
  std::normal_distribution<double> number;
  std::vector<double> row;
  for (longspan::index_t c = 0; c < channels; ++c) row.push_back(number(generator));
  return row;
}

// The row at a position, as a rotation by its definition turns it, or as another row part does.
template <class Part>
std::vector<double> turned(const Part& part, std::vector<double> row, longspan::index_t position) {
  if constexpr (requires { part.frequencies(longspan::index_t()); })
    longspan::detail::rotation_by_definition{part.frequencies(longspan::index_t(row.size()))}.turn(std::span(row), position);
  else
    longspan::detail::turn(part, std::span(row), longspan::token{.place = position});
  return row;
}

// turn_back is the transpose of the derivative: g . (turned(x + h e) - turned(x - h e)) / 2h for every channel e.
template <class Part, class Turn>
void expect_transpose(const Part& turn_back, Turn turn, const std::vector<double>& row) {
  const std::vector<double> weights = random_row(longspan::index_t(row.size()), 9);
  std::vector<double> gradient = weights;
  turn_back(std::span<const double>(row), std::span<double>(gradient));
  for (std::size_t c = 0; c < row.size(); ++c) {
    const auto at = [&](double offset) {
      auto moved = row;
      moved[c] += offset;
      turn(std::span<double>(moved));
      double sum = 0;
      for (std::size_t e = 0; e < row.size(); ++e) sum += weights[e] * moved[e];
      return sum;
    };
    EXPECT_NEAR(gradient[c], (at(1e-5) - at(-1e-5)) / 2e-5, 1e-8) << c;
  }
}

inline double dot(const std::vector<double>& a, const std::vector<double>& b) {
  double sum = 0;
  for (std::size_t c = 0; c < a.size(); ++c) sum += a[c] * b[c];
  return sum;
}

}  // namespace testing_support

#pragma once

#include <random>
#include <span>
#include <vector>

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
    longspan::rotation_by_definition{part.frequencies(longspan::index_t(row.size()))}.turn(std::span(row), position);
  else
    part.turn(std::span(row), position);
  return row;
}

inline double dot(const std::vector<double>& a, const std::vector<double>& b) {
  double sum = 0;
  for (std::size_t c = 0; c < a.size(); ++c) sum += a[c] * b[c];
  return sum;
}

}  // namespace testing_support

#pragma once

#include <cmath>
#include <initializer_list>

namespace testing_support {

// The larger of two errors. A NaN is larger than any number: std::max(worst, NaN) is worst, and the error is lost.
inline double worse(double a, double b) { return std::isnan(a) || a >= b ? a : b; }

inline double worse(std::initializer_list<double> errors) {
  double worst = 0;
  for (const double error : errors) worst = worse(worst, error);
  return worst;
}

}  // namespace testing_support

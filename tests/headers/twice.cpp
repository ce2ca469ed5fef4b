// The library in two translation units built for two instruction sets and linked together: both answer, and answer alike.
#include "twice.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <iostream>

#include "../support/worse.hpp"

double worst_difference(const std::vector<float>& a, const std::vector<float>& b) {
  double worst = a.size() == b.size() && !a.empty() ? 0 : INFINITY;
  for (std::size_t i = 0; i < std::min(a.size(), b.size()); ++i) worst = testing_support::worse(worst, std::abs(a[i] - b[i]));
  return worst;
}

int main() {
  std::vector<float> input(4000);
  for (std::size_t i = 0; i < input.size(); ++i) input[i] = std::sin(0.37f * float(i % 1009));

  const answers one = baseline(input), other = v3(input);
  for (const answers& unit : {one, other})
    std::cout << unit.name << ": output " << unit.output[100] << ", log-sum-exp " << unit.log_sum_exp[100]
              << (unit.refuses ? "" : ", and does not refuse a wrong shape") << '\n';
  const double output = worst_difference(one.output, other.output);
  const double log_sum_exp = worst_difference(one.log_sum_exp, other.log_sum_exp);
  std::cout << "differ by " << output << " and " << log_sum_exp << '\n';
  return output <= 1e-5 && log_sum_exp <= 1e-5 && one.refuses && other.refuses ? 0 : 1;
}

// The library in two translation units built for two instruction sets and linked together: both answer, and answer alike.
#include "twice.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <iostream>

float worst_difference(const std::vector<float>& a, const std::vector<float>& b) {
  float worst = a.size() == b.size() && !a.empty() ? 0.f : INFINITY;
  for (std::size_t i = 0; i < std::min(a.size(), b.size()); ++i) {
    const float difference = std::abs(a[i] - b[i]);
    worst = difference <= worst ? worst : difference;  // a NaN is the worst
  }
  return worst;
}

int main() {
  std::vector<float> input(4000);
  for (std::size_t i = 0; i < input.size(); ++i) input[i] = std::sin(0.37f * float(i % 1009));

  const answers one = baseline(input), other = v3(input);
  for (const answers& unit : {one, other})
    std::cout << unit.name << ": output " << unit.output[100] << ", log-sum-exp " << unit.log_sum_exp[100]
              << (unit.refuses ? "" : ", and does not refuse a wrong shape") << '\n';
  const float output = worst_difference(one.output, other.output);
  const float log_sum_exp = worst_difference(one.log_sum_exp, other.log_sum_exp);
  std::cout << "differ by " << output << " and " << log_sum_exp << '\n';
  return output <= 1e-5f && log_sum_exp <= 1e-5f && one.refuses && other.refuses ? 0 : 1;
}

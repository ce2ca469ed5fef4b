// The gradients of every mechanism are the central differences of the double reference, on uneven sizes with grouped heads.
#include <gtest/gtest.h>

#include <iostream>

#include "support/loss.hpp"
#include "support/mechanisms.hpp"
#include "support/tensors.hpp"

namespace {

using namespace testing_support;
using namespace longspan;

TEST(every_gradient, is_the_central_difference_of_the_definition) {
  auto in = random_inputs<double>(
      {.batch = 1, .heads = 2, .key_heads = 1, .queries = 37, .keys = 301, .channels = 12, .value_channels = 7});
  const loss of{normal<double>(1, 2, 37, 7, 4), sums(sums(1, 2, 37).setRandom())};
  for_each_mechanism([&](const char* name, const auto& mechanism) {
    const auto got = backward(mechanism, in.q, in.k, in.v, kept_of(mechanism, in), attended{of.d_output, of.d_log_sum_exp});
    double worst = 0;
    const auto compare = [&](tensor<double>& x, const tensor<double>& gradient) {
      for (Eigen::Index i = 3; i < x.size(); i += x.size() / 7) {
        const double kept = x.data()[i], wanted = difference(1e-3, [&](double offset) {
                                           x.data()[i] = kept + offset;
                                           return of(mechanism, in);
                                         });
        x.data()[i] = kept;
        worst = worse(worst, std::abs(gradient.data()[i] - wanted));
      }
    };
    compare(in.q, got.d_query), compare(in.k, got.d_key), compare(in.v, got.d_value);
    EXPECT_LT(worst, 2e-8) << name;
    std::cout << name << ": " << worst << '\n';
  });
}

}  // namespace

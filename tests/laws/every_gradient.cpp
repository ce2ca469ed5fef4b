// The gradients of every mechanism are the central differences of the double reference, on uneven sizes with grouped heads.
#include <gtest/gtest.h>

#include <iostream>
#include <limits>
#include <string>

#include "support/hard_inputs.hpp"
#include "support/loss.hpp"
#include "support/mechanisms.hpp"
#include "support/naive_backward.hpp"
#include "support/tensors.hpp"

namespace {

using namespace testing_support;
using namespace longspan;
using namespace longspan::detail;

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

// The error rule of tests/laws/gradients.cpp. The log-sum-exp is that of the fused forward pass, as in use: its rounding makes up for that
// of the logits, while the reference's, rounded to float, leaves the weights of a row wrong by an ulp of a logit of 40, 4e-6.
TEST(every_gradient, errs_at_most_twice_as_much_where_the_softmax_is_sharp) {
  const lengths of{.batch = 2, .heads = 2, .key_heads = 1, .queries = 37, .keys = 301, .channels = 12, .value_channels = 7};
  const auto d_output = normal<float>(2, 2, 37, 7, 4);
  for_each_hard_input<float>(of, 7, [&](const std::string& what, const auto& in) {
    const inputs<double> wide{in.q.template cast<double>(), in.k.template cast<double>(), in.v.template cast<double>()};
    for_each_kind_of_mechanism([&](const char* name, const auto& mechanism) {
      const auto exact = naive_backward(mechanism, wide, tensor<double>(d_output.template cast<double>()));
      const auto fused = backward(mechanism, in.q, in.k, in.v, forward(mechanism, in.q, in.k, in.v), d_output);
      const auto naive = naive_backward(mechanism, in, d_output);
      const double lucky = 8 * double(std::numeric_limits<float>::epsilon()),
                   scale =
                       1 + worst_gradient(exact, gradients{tensor<double>(0. * exact.d_query), tensor<double>(0. * exact.d_key),
                                                           tensor<double>(0. * exact.d_value)});
      EXPECT_LE(worst_gradient(fused, exact), 2 * worst_gradient(naive, exact) + lucky * scale) << what << ", " << name;
      const auto fused_double =
          backward(mechanism, wide.q, wide.k, wide.v, kept_of(mechanism, wide), tensor<double>(d_output.template cast<double>()));
      EXPECT_LT(worst_gradient(fused_double, exact), 1e-12 * scale) << what << ", " << name;
    });
  });
}

}  // namespace

// A logit of -infinity is a weight of exactly 0, and so is its gradient; a row that has no other has output 0.
#include <cmath>
#include <limits>

#include <gtest/gtest.h>

#include "support/loss.hpp"
#include "support/tensors.hpp"

namespace {

using namespace testing_support;
using namespace longspan;
using namespace longspan::detail;

constexpr float infinity = std::numeric_limits<float>::infinity();

// -infinity for all keys of row 3 and for key 1 of row 2; the slope there is 0 or 1.
struct without_row_3 {
  float slope;
  auto operator()(const query_row& row) const {
    const float first_key = row.position == 3 ? 0.f : row.position == 2 ? 1.f : 100.f, last_key = row.position == 2 ? 1.f : 100.f;
    return [=, slope = slope](auto logit, const auto& keys) {
      using longspan::select;
      using Logit = decltype(logit);
      const auto gone = slope * logit - Logit(infinity);
      return select(keys.position() < first_key, logit, select(keys.position() > last_key, logit, gone));
    };
  }
};

const lengths of{.batch = 2, .heads = 4, .key_heads = 2, .queries = 5, .keys = 5};

// Row 3 sees nothing that has a weight, row 2 has lost key 1: as where a mask hides these.
template <class T, class Mechanism, class Masked>
void expect_as_masked(const Mechanism& mechanism, const Masked& masked, const char* name) {
  const auto in = random_inputs<T>(of);
  const auto got = forward(mechanism, in.q, in.k, in.v), wanted = forward(masked, in.q, in.k, in.v);
  const auto exact = reference::attention(mechanism, in.q, in.k, in.v);
  const double allowed = std::is_same_v<T, double> ? 1e-14 : 1e-6;
  EXPECT_LT(worst_difference(got.output, wanted.output), allowed) << name;
  EXPECT_LT(worst_difference(got.log_sum_exp, wanted.log_sum_exp), allowed) << name;
  EXPECT_LT(worst_difference(exact.output, wanted.output), 2e-6) << name;
  EXPECT_LT(worst_difference(exact.log_sum_exp, wanted.log_sum_exp), 2e-6) << name;
  const attended d{normal<T>(2, 4, 5, 8, 4),
                   Eigen::Tensor<T, 3, Eigen::RowMajor>(normal<T>(1, 2, 4, 5, 5).reshape(Eigen::array<index_t, 3>{2, 4, 5}))};
  const auto gradient = backward(mechanism, in.q, in.k, in.v, got, d), of_masked = backward(masked, in.q, in.k, in.v, wanted, d);
  EXPECT_LT(worst_difference(gradient.d_query, of_masked.d_query), allowed) << name;
  EXPECT_LT(worst_difference(gradient.d_key, of_masked.d_key), allowed) << name;
  EXPECT_LT(worst_difference(gradient.d_value, of_masked.d_value), allowed) << name;
  for (index_t h = 0; h < 4; ++h)
    for (index_t c = 0; c < 8; ++c) {
      EXPECT_EQ(got.output(1, h, 3, c), 0) << name;
      EXPECT_EQ(gradient.d_query(1, h, 3, c), 0) << name;
    }
}

// The mask that hides what those transforms take away.
struct causal_without {
  std::array<interval, 2> operator()(const query_row& row) const {
    if (row.position == 3) return {};
    if (row.position == 2) return {interval{0, 1}, {2, 3}};
    return {interval{0, row.position + 1}, {}};
  }
};

template <class T>
class a_row_without_weights : public testing::Test {};
using precisions = testing::Types<float, double>;
TYPED_TEST_SUITE(a_row_without_weights, precisions);

TYPED_TEST(a_row_without_weights, by_a_transform) {
  const auto masked = dot_product{} | causal_without{};
  for (const float slope : {0.f, 1.f})
    expect_as_masked<TypeParam>(dot_product{} | without_row_3{slope} | causal{}, masked, slope == 0 ? "flat" : "sloped");
  expect_as_masked<TypeParam>(dot_product{} | without_row_3{0.f} | causal{} | sink{{0.5, -1, 2, 0}},
                              dot_product{} | causal_without{} | sink{{0.5, -1, 2, 0}}, "sink");
}

TYPED_TEST(a_row_without_weights, by_a_bias) {
  tensor<float> numbers(1, 1, 5, 5);
  numbers.setZero();
  for (index_t j = 0; j < 5; ++j) numbers(0, 0, 3, j) = -infinity;
  numbers(0, 0, 2, 1) = -infinity;
  expect_as_masked<TypeParam>(dot_product{} | bias{numbers} | causal{}, dot_product{} | causal_without{}, "bias");
  expect_as_masked<TypeParam>(dot_product{} | bias{numbers} | causal{} | sink{0.5}, dot_product{} | causal_without{} | sink{0.5},
                              "bias and sink");
  tensor<float> d_numbers(1, 1, 5, 5);
  expect_as_masked<TypeParam>(dot_product{} | bias{numbers, d_numbers} | causal{}, dot_product{} | causal_without{}, "gradient");
  for (index_t j = 0; j < 5; ++j) EXPECT_EQ(d_numbers(0, 0, 3, j), 0);
  EXPECT_EQ(d_numbers(0, 0, 2, 1), 0);
  EXPECT_NE(d_numbers(0, 0, 2, 0), 0);
}

// A loss may have any gradient by a log-sum-exp of -infinity.
TYPED_TEST(a_row_without_weights, has_no_gradient_whatever_comes_in_for_its_log_sum_exp) {
  using T = TypeParam;
  const auto in = random_inputs<T>(of);
  const auto mechanism = dot_product{} | without_row_3{0} | causal{};
  const auto kept = forward(mechanism, in.q, in.k, in.v);
  const auto d_output = normal<T>(2, 4, 5, 8, 4);
  Eigen::Tensor<T, 3, Eigen::RowMajor> d_sums(2, 4, 5), none(2, 4, 5);
  d_sums.setZero(), none.setZero();
  for (index_t b = 0; b < 2; ++b)
    for (index_t h = 0; h < 4; ++h) d_sums(b, h, 3) = h == 0 ? T(std::nan("")) : -T(infinity);
  const auto got = backward(mechanism, in.q, in.k, in.v, kept, attended{d_output, d_sums});
  const auto wanted = backward(mechanism, in.q, in.k, in.v, kept, attended{d_output, none});
  EXPECT_TRUE(same_bits(got.d_query, wanted.d_query) && same_bits(got.d_key, wanted.d_key));
}

// Squared relu: z = log f(s), f = relu(s)^2 is 0 for half of the keys, where log has the value -infinity and an infinite slope.
struct log_squared_relu {
  auto operator()(const query_row&) const {
    return [](auto logit, const auto&) {
      using longspan::select, std::log;
      return 2 * log(select(logit > 0, logit, 0 * logit));
    };
  }
};

TYPED_TEST(a_row_without_weights, by_the_log_of_a_function_that_is_0) {
  using T = TypeParam;
  const auto in = random_inputs<T>({.batch = 1, .heads = 2, .key_heads = 1, .queries = 70, .keys = 70});
  const auto mechanism = dot_product{} | log_squared_relu{} | causal{};
  const auto kept = forward(mechanism, in.q, in.k, in.v);
  const auto exact = reference::attention(mechanism, in.q, in.k, in.v);
  EXPECT_LT(worst_difference(kept.output, exact.output), (std::is_same_v<T, double> ? 1e-13 : 1e-5));
  const auto d_output = normal<T>(1, 2, 70, 8, 4);
  const auto gradient = backward(mechanism, in.q, in.k, in.v, kept, d_output);
  // Against the same in double by differences.
  inputs<double> wide{in.q.template cast<double>(), in.k.template cast<double>(), in.v.template cast<double>()};
  sums none(1, 2, 70);
  none.setZero();
  const loss of_wide{d_output.template cast<double>(), none};
  double worst = 0;
  const auto compare = [&](tensor<double>& x, const auto& got) {
    for (index_t at = 5; at < x.size(); at += 1 + x.size() / 9) {
      const double at_hand = x.data()[at], wanted = difference(1e-5, [&](double offset) {
                                             x.data()[at] = at_hand + offset;
                                             return of_wide(mechanism, wide);
                                           });
      x.data()[at] = at_hand;
      worst = worse(worst, std::abs(double(got.data()[at]) - wanted) / (1 + std::abs(wanted)));
    }
  };
  compare(wide.q, gradient.d_query), compare(wide.k, gradient.d_key), compare(wide.v, gradient.d_value);
  EXPECT_LT(worst, 1e-4);
}

// Of a row that sees nothing the sink is all: its logit is the log-sum-exp, and takes its gradient.
TEST(a_row_that_sees_nothing, has_the_sinks_logit) {
  const auto in = random_inputs<double>({.heads = 2, .key_heads = 1, .queries = 12, .keys = 9});
  const auto mechanism = dot_product{} | causal{} | sink{{0.5, -1}};
  const auto kept = forward(mechanism, in.q, in.k, in.v);
  const auto exact = reference::attention(mechanism, in.q, in.k, in.v);
  EXPECT_LT(worst_difference(kept.log_sum_exp, exact.log_sum_exp), 1e-14);
  for (index_t i = 0; i < 3; ++i) {
    EXPECT_EQ(kept.log_sum_exp(0, 0, i), 0.5);
    EXPECT_EQ(kept.log_sum_exp(0, 1, i), -1);
    EXPECT_EQ(kept.output(0, 1, i, 0), 0);
  }
  const loss value{normal<double>(1, 2, 12, 8, 4), sums(sums(1, 2, 12).setRandom())};
  const auto gradient =
      backward_with_parameters(mechanism, in.q, in.k, in.v, kept, attended{value.d_output, value.d_log_sum_exp}).d_mechanism;
  for (index_t h = 0; h < 2; ++h) {
    const double wanted = difference(1e-3, [&](double offset) {
      auto moved = mechanism;
      moved = dot_product{} | causal{} | sink{{0.5 + (h == 0 ? offset : 0), -1 + (h == 1 ? offset : 0)}};
      return value(moved, in);
    });
    EXPECT_NEAR(get<sink>(gradient).logit.values()[std::size_t(h)], wanted, 1e-10);
  }
}

// Where a score overflows before softcap the cap is the logit, and the slope there is 0.
template <class T>
void expect_no_gradient_of_an_overflow(T huge) {
  tensor<T> q(1, 1, 1, 2), k(1, 1, 2, 2), v(1, 1, 2, 2), d_output(1, 1, 1, 2);
  q.setZero(), k.setZero(), v.setRandom(), d_output.setRandom();
  q(0, 0, 0, 0) = k(0, 0, 0, 0) = huge;
  const auto mechanism = dot_product{} | softcap{1} | causal{};
  const auto kept = forward(mechanism, q, k, v, {.first_query = 1});
  EXPECT_LT(worst_difference(kept.output, reference::attention(mechanism, q, k, v, {.first_query = 1}).output), 1e-6);
  const auto gradient = backward(mechanism, q, k, v, kept, d_output, {.first_query = 1});
  EXPECT_EQ(gradient.d_query(0, 0, 0, 0), 0);
  EXPECT_EQ(gradient.d_key(0, 0, 0, 0), 0);
}

TEST(a_logit_that_overflows, before_softcap_has_no_gradient) {
  expect_no_gradient_of_an_overflow<float>(1e20f);
  expect_no_gradient_of_an_overflow<double>(1e200);
}

}  // namespace

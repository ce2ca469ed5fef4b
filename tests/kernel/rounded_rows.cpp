// Where the products read bfloat16, rows that were turned are rounded to it: by both passes, or the weights that the backward pass makes again
// from the log-sum-exp are not those of the forward pass.
#include <gtest/gtest.h>

#include <cmath>
#include <span>

#include <longspan/longspan.hpp>

#include "support/naive_backward.hpp"
#include "support/tensors.hpp"

namespace {

using namespace longspan;
using namespace testing_support;
using bfloat16 = Eigen::bfloat16;

// RoPE whose rows are rounded to bfloat16, with the gradient of RoPE.
struct rounded_rope {
  template <class T>
  static void rotate(std::span<T> row, index_t position, double sign) {
    const std::size_t half = row.size() / 2;
    for (std::size_t i = 0; i < half; ++i) {
      const double angle = sign * double(position) * std::pow(10000.0, -double(i) / double(half));
      const double x = double(row[i]), y = double(row[i + half]);
      row[i] = T(x * std::cos(angle) - y * std::sin(angle)), row[i + half] = T(x * std::sin(angle) + y * std::cos(angle));
    }
  }
  template <class T>
  void turn(std::span<T> row, index_t position) const {
    rotate(row, position, 1);
    for (T& x : row) x = T(float(bfloat16(float(x))));
  }
  template <class T>
  void turn_back(std::span<const T>, std::span<T> gradient, index_t position) const {
    rotate(gradient, position, -1);
  }
};

constexpr index_t tokens = 300, channels = 64;
const auto mechanism = rope{} | dot_product{} | causal{};

// Numbers that are exact in bfloat16, queries scaled so that logits have a standard deviation of `sharpness`.
inputs<double> exact_inputs(double sharpness) {
  const auto in = random_inputs<float>({.queries = tokens, .keys = tokens, .channels = channels, .value_channels = channels});
  const auto rounded = [](const tensor<float>& t) { return tensor<double>(t.cast<bfloat16>().cast<float>().cast<double>()); };
  return {rounded(in.q * float(sharpness)), rounded(in.k), rounded(in.v)};
}

inputs<bfloat16> narrow(const inputs<double>& in) {
  const auto one = [](const tensor<double>& t) { return tensor<bfloat16>(t.cast<float>().cast<bfloat16>()); };
  return {one(in.q), one(in.k), one(in.v)};
}

// The gradient of the values under an output gradient that is a row of the identity is a row of weights.
template <class Mechanism>
void expect_weights_that_sum_to_1(const Mechanism& of, const inputs<bfloat16>& in) {
  const auto kept = forward(of, in.q, in.k, in.v);
  tensor<float> d_output(1, 1, tokens, channels), d_q(1, 1, tokens, channels), d_k(1, 1, tokens, channels),
      d_v(1, 1, tokens, channels);
  for (index_t first = 0; first < tokens; first += channels) {
    d_output.setZero();
    for (index_t i = first; i < std::min(first + channels, tokens); ++i) d_output(0, 0, i, i - first) = 1;
    backward_into(of, in.q, in.k, in.v, kept, d_output, d_q, d_k, d_v);
    for (index_t i = first; i < std::min(first + channels, tokens); ++i) {
      double sum = 0;
      for (index_t j = 0; j < tokens; ++j) sum += double(d_v(0, 0, j, i - first));
      EXPECT_NEAR(sum, 1, 1e-3) << "row " << i;
    }
  }
}

TEST(rounded_rows, have_weights_that_sum_to_1_in_the_backward_pass) {
  for (const double sharpness : {5, 40, 300}) {
    SCOPED_TRACE(sharpness);
    expect_weights_that_sum_to_1(mechanism, narrow(exact_inputs(sharpness)));
    expect_weights_that_sum_to_1(rms_normalize{} | rope{} | dot_product{} | temperature{sharpness} | causal{},
                                 narrow(exact_inputs(1)));
    expect_weights_that_sum_to_1(p_rope{} | cosine{} | cos_scale{8 * sharpness} | causal{}, narrow(exact_inputs(1)));
  }
}

TEST(rounded_rows, have_gradients_as_good_as_naive_bfloat16_attention) {
  for (const double sharpness : {5, 40, 300}) {
    const auto in = exact_inputs(sharpness);
    const auto narrow_in = narrow(in);
    const auto d_output = normal<float>(1, 1, tokens, channels, 9);
    const tensor<double> wide = d_output.cast<double>();
    const auto exact = naive_backward(mechanism, in, wide);
    const auto naive = naive_backward(rounded_rope{} | dot_product{} | causal{}, in, wide);
    const auto fused = backward(mechanism, narrow_in.q, narrow_in.k, narrow_in.v,
                                forward(mechanism, narrow_in.q, narrow_in.k, narrow_in.v), d_output);
    const auto as_good = [&](const char* name, const auto& got, const auto& of_naive, const auto& wanted) {
      const double scale = worst_difference(wanted, tensor<double>(0. * wanted));  // the result is rounded to bfloat16 once more
      EXPECT_LE(worst_difference(got, wanted), 1.5 * worst_difference(of_naive, wanted) + scale / 256)
          << name << " at " << sharpness;
    };
    as_good("d_query", fused.d_query, naive.d_query, exact.d_query);
    as_good("d_key", fused.d_key, naive.d_key, exact.d_key);
    as_good("d_value", fused.d_value, naive.d_value, exact.d_value);
  }
}

// A temperature that is folded into the query learns from the rows that were multiplied: its derivative is that by the queries, along them.
TEST(rounded_rows, are_those_that_a_temperature_learns_from) {
  const auto in = narrow(exact_inputs(40));
  const auto d_output = normal<float>(1, 1, tokens, channels, 9);
  const auto learning = rope{} | dot_product{} | temperature{1.5} | causal{};
  const auto kept = forward(learning, in.q, in.k, in.v);
  const double slope =
      get<temperature>(backward_with_parameters(learning, in.q, in.k, in.v, kept, d_output).d_mechanism).factor.value;
  const auto wide = naive_backward(rounded_rope{} | dot_product{} | temperature{1.5} | causal{}, exact_inputs(40),
                                   tensor<double>(d_output.cast<double>()));
  const tensor<double> q = in.q.cast<float>().cast<double>();
  double wanted = 0, size = 0;
  for (Eigen::Index e = 0; e < q.size(); ++e) {
    const double part = q.data()[e] * wide.d_query.data()[e] / 1.5;
    wanted += part, size += std::abs(part);
  }
  EXPECT_NEAR(slope, wanted, 0.002 * size);
}

}  // namespace

// The gradient of a bias.
#include <longspan/transform/bias_sums.hpp>

#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <string>
#include <vector>

#include <longspan/longspan.hpp>

#include "support/devices.hpp"
#include "support/loss.hpp"
#include "support/tensors.hpp"
#include "support/words.hpp"

namespace {

using namespace longspan;
using namespace longspan::detail;
using namespace testing_support;

template <class T>
struct biased_call {
  lengths of;
  inputs<T> in = random_inputs<T>(of);
  tensor<T> d_output = normal<T>(of.batch, of.heads, of.queries, of.value_channels, 4);
  Eigen::Tensor<T, 3, Eigen::RowMajor> d_sums =
      normal<T>(1, of.batch, of.heads, of.queries, 5).reshape(Eigen::array<index_t, 3>{of.batch, of.heads, of.queries});

  explicit biased_call(const lengths& l) : of(l) {}

  // Writes the gradients of the parts of a mechanism; returns those of the tensors.
  template <class Device, class Mechanism>
  auto differentiate(const Device& device, const Mechanism& mechanism) const {
    const auto kept = forward(device, mechanism, in.q, in.k, in.v);
    return backward(device, mechanism, in.q, in.k, in.v, kept, attended{d_output, d_sums});
  }
};

// The sum of a full gradient over the axes that stand for all.
template <class S>
tensor<double> summed(const tensor<S>& full, const std::array<index_t, 4>& extent) {
  tensor<double> sum(extent[0], extent[1], extent[2], extent[3]);
  sum.setZero();
  const auto at = [&](std::size_t axis, index_t index) { return extent[axis] == 1 ? 0 : index; };
  for (index_t b = 0; b < full.dimension(0); ++b)
    for (index_t h = 0; h < full.dimension(1); ++h)
      for (index_t i = 0; i < full.dimension(2); ++i)
        for (index_t j = 0; j < full.dimension(3); ++j) sum(at(0, b), at(1, h), at(2, i), at(3, j)) += double(full(b, h, i, j));
  return sum;
}

TEST(gradient_of_a_bias, is_the_central_difference_of_the_definition) {
  const lengths of{.batch = 2, .heads = 2, .key_heads = 1, .queries = 37, .keys = 301, .channels = 12, .value_channels = 7};
  const auto in = random_inputs<double>(of);
  const loss value{normal<double>(2, 2, 37, 7, 4), sums(sums(2, 2, 37).setRandom())};
  auto numbers = normal<double>(2, 2, 37, 301, 11);
  tensor<double> gradient(2, 2, 37, 301);
  gradient.setConstant(7);
  const auto mechanism = dot_product{} | softcap{3} | bias{numbers, gradient} | sliding_window{200, 2} | sink{{0.5, -1}};
  backward(mechanism, in.q, in.k, in.v, kept_of(mechanism, in), attended{value.d_output, value.d_log_sum_exp});
  for (index_t at = 3; at < numbers.size(); at += numbers.size() / 40) {
    const double kept = numbers.data()[at], wanted = difference(1e-3, [&](double offset) {
                                              numbers.data()[at] = kept + offset;
                                              return value(mechanism, in);
                                            });
    numbers.data()[at] = kept;
    EXPECT_NEAR(gradient.data()[at], wanted, 1e-9) << at;
  }
  EXPECT_EQ(gradient(0, 0, 0, 300), 0);  // hidden
  EXPECT_EQ(gradient(1, 1, 36, 0), 0);
}

template <class S>
class gradient_of_a_bias_in : public testing::Test {};
using storages = testing::Types<float, double, Eigen::half, Eigen::bfloat16>;
TYPED_TEST_SUITE(gradient_of_a_bias_in, storages);

// Of 3 heads a key head, so that the rows of a query fall into two steps, over several tiles; any storage and any broadcast, and any
// number of threads has the same bits.
TYPED_TEST(gradient_of_a_bias_in, is_the_sum_over_axes_of_extent_1) {
  using S = TypeParam;
  const biased_call<float> call({.batch = 2, .heads = 6, .key_heads = 2, .queries = 70, .keys = 333, .channels = 12});
  tensor<double> full(2, 6, 70, 333);
  for (int axes = 0; axes < 16; ++axes) {
    const std::array<index_t, 4> extent{axes & 1 ? 1 : 2, axes & 2 ? 1 : 6, axes & 4 ? 1 : 70, axes & 8 ? 1 : 333};
    const auto numbers = tensor<S>((normal<float>(extent[0], extent[1], extent[2], extent[3], 11) * 0.f).template cast<S>());
    tensor<S> gradient(extent[0], extent[1], extent[2], extent[3]), again = gradient;
    call.differentiate(std_threads{1}, dot_product{} | bias{numbers, gradient} | causal{} | sink{0.5});
    if (axes == 0) {
      tensor<float> in_float(2, 6, 70, 333);
      call.differentiate(std_threads{1}, dot_product{} | bias{numbers, in_float} | causal{} | sink{0.5});
      full = in_float.template cast<double>();
    }
    const auto wanted = summed(full, extent);
    for (index_t at = 0; at < wanted.size(); ++at) {
      const double rounding =
          (sizeof(S) == 2 ? std::is_same_v<S, Eigen::half> ? 0x1p-11 : 0x1p-8 : 0x1p-23) * std::abs(wanted.data()[at]);
      ASSERT_NEAR(double(gradient.data()[at]), wanted.data()[at], rounding + 2e-5) << axes << " at " << at;
    }
    for (const index_t threads : {2, 3, 5}) {
      again.setConstant(S(3));
      call.differentiate(std_threads{threads}, dot_product{} | bias{numbers, again} | causal{} | sink{0.5});
      EXPECT_TRUE(same_bits(gradient, again)) << axes << ", " << threads << " threads";
    }
    again.setConstant(S(3));
    call.differentiate(backwards{4}, dot_product{} | bias{numbers, again} | causal{} | sink{0.5});
    EXPECT_TRUE(same_bits(gradient, again)) << axes;
  }
}

// A transform after the bias that is none: the gradient is multiplied by its slope. A bias after it has a slope of 1.
struct bent {
  auto operator()(const query_row&) const {
    return [](auto logit, const auto&) { return 3 * tanh(logit / 3); };
  }
};

TEST(gradient_of_a_bias, counts_what_becomes_of_its_logits) {
  const lengths of{.heads = 2, .key_heads = 1, .queries = 20, .keys = 70};
  const auto in = random_inputs<double>(of);
  const loss value{normal<double>(1, 2, 20, 8, 4), sums(sums(1, 2, 20).setRandom())};
  auto numbers = normal<double>(1, 1, 20, 70, 11), others = normal<double>(1, 1, 1, 70, 12);
  tensor<double> gradient(1, 1, 20, 70), of_others(1, 1, 1, 70);
  const auto mechanism = dot_product{} | bias{numbers, gradient} | bent{} | bias{others, of_others} | causal{};
  backward(mechanism, in.q, in.k, in.v, kept_of(mechanism, in), attended{value.d_output, value.d_log_sum_exp});
  const auto expect = [&](tensor<double>& moved, const tensor<double>& got) {
    for (index_t at = 3; at < moved.size(); at += 1 + moved.size() / 30) {
      const double kept = moved.data()[at], wanted = difference(1e-3, [&](double offset) {
                                              moved.data()[at] = kept + offset;
                                              return value(mechanism, in);
                                            });
      moved.data()[at] = kept;
      EXPECT_NEAR(got.data()[at], wanted, 1e-9) << at;
    }
  };
  expect(numbers, gradient), expect(others, of_others);
}

TEST(gradient_of_a_bias, lies_anywhere) {
  const biased_call<float> call({.heads = 2, .key_heads = 1, .queries = 40, .keys = 90});
  const auto numbers = normal<float>(1, 1, 40, 90, 11);
  tensor<float> wanted(1, 1, 40, 90);
  call.differentiate(std_threads{1}, dot_product{} | bias{numbers, wanted} | causal{});
  std::vector<float> memory(40 * 90 * 2, 5.f);
  const auto gradient_at = [&](index_t i, index_t j) { return memory[std::size_t(j * 80 + i * 2)]; };
  call.differentiate(std_threads{2},
                     dot_product{} | bias{numbers, view<float>{memory.data(), {1, 1, 40, 90}, {0, 0, 2, 80}}} | causal{});
  for (index_t i = 0; i < 40; ++i)
    for (index_t j = 0; j < 90; ++j) ASSERT_EQ(gradient_at(i, j), wanted(0, 0, i, j));
  for (std::size_t between = 1; between < memory.size(); between += 2) ASSERT_EQ(memory[between], 5);
}

TEST(gradient_of_a_bias, is_0_where_there_is_nothing) {
  const biased_call<float> call({.batch = 0, .heads = 2, .key_heads = 1, .queries = 3, .keys = 4});
  const auto numbers = normal<float>(1, 1, 3, 4, 11);
  tensor<float> gradient(1, 1, 3, 4);
  gradient.setConstant(3);
  call.differentiate(std_threads{1}, dot_product{} | bias{numbers, gradient} | causal{});
  for (index_t at = 0; at < 12; ++at) EXPECT_EQ(gradient.data()[at], 0);
}

// Whether the learned numbers beside it and the tensors have the gradients that they have without it.
TEST(gradient_of_a_bias, leaves_the_others_as_they_are) {
  const biased_call<float> call({.heads = 2, .key_heads = 1, .queries = 70, .keys = 70});
  const auto numbers = normal<float>(1, 1, 70, 70, 11);
  tensor<float> gradient(1, 1, 70, 70);
  const auto with = call.differentiate(std_threads{2}, dot_product{} | alibi{} | bias{numbers, gradient} | causal{});
  const auto without = call.differentiate(std_threads{2}, dot_product{} | alibi{} | bias{numbers} | causal{});
  EXPECT_TRUE(same_bits(with.d_query, without.d_query) && same_bits(with.d_key, without.d_key) &&
              same_bits(with.d_value, without.d_value));
}

// Column-major ones have their axes reversed: rows are keys.
TEST(gradient_of_a_bias, of_a_column_major_matrix_has_a_row_for_each_key) {
  const biased_call<float> call({.queries = 5, .keys = 9});
  const auto numbers = normal<float>(1, 1, 5, 9, 11);
  tensor<float> gradient(1, 1, 5, 9);
  Eigen::MatrixXf reversed(9, 5), reversed_gradient(9, 5);
  for (index_t i = 0; i < 5; ++i)
    for (index_t j = 0; j < 9; ++j) reversed(j, i) = numbers(0, 0, i, j);
  call.differentiate(std_threads{1}, dot_product{} | bias{numbers, gradient} | causal{});
  call.differentiate(std_threads{1}, dot_product{} | bias{reversed, reversed_gradient} | causal{});
  EXPECT_GT(reversed_gradient.cwiseAbs().maxCoeff(), 0.01f);
  for (index_t i = 0; i < 5; ++i)
    for (index_t j = 0; j < 9; ++j) EXPECT_EQ(reversed_gradient(j, i), gradient(0, 0, i, j));
}

TEST(gradient_of_a_bias, names_what_it_refuses) {
  const biased_call<float> call({.heads = 2, .key_heads = 1, .queries = 6, .keys = 6, .channels = 6, .value_channels = 6});
  auto numbers = normal<float>(1, 1, 6, 6, 11), other = normal<float>(1, 1, 6, 6, 12);
  tensor<float> gradient(1, 1, 6, 6), small(1, 1, 1, 6), d_q(1, 2, 6, 6), d_k(1, 1, 6, 6), d_v(1, 1, 6, 6);
  const auto kept = forward(dot_product{} | bias{numbers} | causal{}, call.in.q, call.in.k, call.in.v);
  const auto words = [&](const auto& part, const auto& second) {
    return words_of<shape_error>([&] {
      backward_into(dot_product{} | part | second | causal{}, call.in.q, call.in.k, call.in.v, kept, call.d_output, d_q, d_k,
                    d_v);
    });
  };
  const auto alone = [&](const auto& part) { return words(part, bias{other}); };
  const auto on = [](const auto& memory) { return view<float>{const_cast<float*>(memory.data()), {1, 1, 6, 6}, {36, 36, 6, 1}}; };
  const std::string own = ": a gradient needs memory of its own";
  EXPECT_EQ(alone(bias{numbers, gradient}), "");
  EXPECT_EQ(alone(bias{numbers, small}), "d_bias and bias differ in queries: 1 and 6");
  EXPECT_EQ(alone(bias{numbers, view<float>{gradient.data(), {1, 1, 6, 6}, {36, 36, 5, 1}}}),
            "d_bias writes elements over each other along queries: extent 6 and stride 5");
  EXPECT_EQ(alone(bias{numbers, numbers}), "d_bias shares memory with bias" + own);
  EXPECT_EQ(alone(bias{numbers, on(call.in.q)}), "d_bias shares memory with query" + own);
  EXPECT_EQ(alone(bias{numbers, on(call.in.v)}), "d_bias shares memory with value" + own);
  EXPECT_EQ(alone(bias{numbers, on(kept.output)}), "d_bias shares memory with output" + own);
  EXPECT_EQ(alone(bias{numbers, on(call.d_output)}), "d_bias shares memory with d_output" + own);
  EXPECT_EQ(alone(bias{numbers, on(d_k)}), "d_bias shares memory with d_key" + own);
  EXPECT_EQ(alone(bias{numbers, on(other)}), "d_bias shares memory with bias" + own);
  EXPECT_EQ(words(bias{numbers, gradient}, bias{other, gradient}),
            "d_bias shares memory with d_bias: every part needs a gradient of its own, in each summand of a sum, too");
  EXPECT_EQ(alone(bias{on(d_v)}), "d_value shares memory with bias: attention cannot be computed in place");
  EXPECT_EQ(
      words_of<shape_error>([&] { forward(dot_product{} | bias{numbers, small} | causal{}, call.in.q, call.in.k, call.in.v); }),
      "d_bias and bias differ in queries: 1 and 6");
}

}  // namespace

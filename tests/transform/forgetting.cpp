#include <limits>

#include <longspan/transform/forgetting.hpp>

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
using by_token = Eigen::Tensor<T, 3, Eigen::RowMajor>;

// Running sums of the logs of gates between 0.7 and 1.
template <class T>
by_token<T> gates(index_t batch, index_t heads, index_t tokens) {
  const auto numbers = normal<double>(1, batch, heads, tokens, 21);
  by_token<T> c(batch, heads, tokens);
  for (index_t b = 0; b < batch; ++b)
    for (index_t h = 0; h < heads; ++h) {
      double sum = 0;
      for (index_t j = 0; j < tokens; ++j) c(b, h, j) = T(sum += -0.1 * std::min(std::abs(numbers(0, b, h, j)), 3.0));
    }
  return c;
}

const lengths uneven{.batch = 2, .heads = 4, .key_heads = 2, .queries = 37, .keys = 301, .channels = 12, .value_channels = 7};

// The definition: a bias that holds c_i - c_j.
TEST(forgetting, adds_what_was_forgotten_between_key_and_query) {
  const auto in = random_inputs<double>(uneven);
  const auto c = gates<double>(2, 4, 301);
  tensor<double> numbers(2, 4, 37, 301);
  for (index_t b = 0; b < 2; ++b)
    for (index_t h = 0; h < 4; ++h)
      for (index_t i = 0; i < 37; ++i)
        for (index_t j = 0; j < 301; ++j) numbers(b, h, i, j) = c(b, h, i + 301 - 37) - c(b, h, j);
  const auto mechanism = rope{} | dot_product{} | forgetting{c} | causal{};
  const auto wanted = reference::attention(rope{} | dot_product{} | bias{numbers} | causal{}, in.q, in.k, in.v);
  const auto exact = reference::attention(mechanism, in.q, in.k, in.v), got = forward(mechanism, in.q, in.k, in.v);
  EXPECT_LT(worst_difference(exact.output, wanted.output), 1e-13);
  EXPECT_LT(worst_difference(exact.log_sum_exp, wanted.log_sum_exp), 1e-13);
  EXPECT_LT(worst_difference(got.output, exact.output), 1e-12);
  EXPECT_LT(worst_difference(got.log_sum_exp, exact.log_sum_exp), 1e-12);
}

template <class S>
class forgetting_of : public testing::Test {};
using storages = testing::Types<float, double, Eigen::half, Eigen::bfloat16>;
TYPED_TEST_SUITE(forgetting_of, storages);

TYPED_TEST(forgetting_of, agrees_with_the_definition_of_any_storage_and_broadcast) {
  const auto in = random_inputs<float>(uneven);
  for (const auto& [batch, heads] : {std::array<index_t, 2>{2, 4}, {1, 4}, {2, 1}, {1, 1}}) {
    const auto c = gates<TypeParam>(batch, heads, 301);
    const auto mechanism = dot_product{} | forgetting{c} | causal{};
    const auto got = forward(mechanism, in.q, in.k, in.v);
    const auto exact = reference::attention(mechanism, in.q, in.k, in.v);
    EXPECT_LT(worst_difference(got.output, exact.output), 1e-5);
    EXPECT_LT(worst_difference(got.log_sum_exp, exact.log_sum_exp), 2e-5);
  }
}

TEST(forgetting, reads_lower_ranks_and_views) {
  const auto in = random_inputs<float>({.heads = 1, .key_heads = 1, .queries = 37, .keys = 60});
  const auto c = gates<float>(1, 1, 60);
  const auto wanted = forward(dot_product{} | forgetting{c} | causal{}, in.q, in.k, in.v);
  Eigen::VectorXf vector(60);
  std::vector<float> spread(120);
  for (index_t j = 0; j < 60; ++j) vector(j) = spread[std::size_t(2 * j)] = c(0, 0, j);
  const auto expect = [&](const auto& same) {
    EXPECT_TRUE(same_bits(forward(dot_product{} | same | causal{}, in.q, in.k, in.v).output, wanted.output));
  };
  expect(forgetting{vector});
  expect(forgetting{view<const float>{spread.data(), {1, 1, 60, 1}, {0, 0, 2, 1}}});
  const forgetting one{c};
  expect(forgetting{one});
}

TEST(forgetting, has_the_same_bits_in_prefill_and_in_decoding) {
  const index_t tokens = 530;
  const auto in = random_inputs<float>({.heads = 2, .key_heads = 1, .queries = tokens, .keys = tokens});
  const auto c = gates<float>(1, 2, tokens);
  const auto prefill = forward(std_threads{2}, dot_product{} | forgetting{c} | causal{}, in.q, in.k, in.v);
  const auto some = [](const tensor<float>& t, index_t from, index_t count) {
    return tensor<float>(t.slice(Eigen::array<Eigen::Index, 4>{0, 0, from, 0},
                                 Eigen::array<Eigen::Index, 4>{1, t.dimension(1), count, t.dimension(3)}));
  };
  for (const index_t n : {1, 17, 256, 257, 530}) {
    const view<const float> first{c.data(), {1, 2, n, 1}, {0, tokens, 1, 1}};
    const auto decoded =
        forward(dot_product{} | forgetting{first} | causal{}, some(in.q, n - 1, 1), some(in.k, 0, n), some(in.v, 0, n));
    EXPECT_TRUE(same_bits(decoded.output, some(prefill.output, n - 1, 1))) << n;
  }
}

TEST(gradient_of_forgetting, is_the_central_difference_of_the_definition) {
  const lengths of{.batch = 2, .heads = 2, .key_heads = 1, .queries = 37, .keys = 120, .channels = 12, .value_channels = 7};
  const auto in = random_inputs<double>(of);
  const loss value{normal<double>(2, 2, 37, 7, 4), sums(sums(2, 2, 37).setRandom())};
  for (const auto& [batch, heads] : {std::array<index_t, 2>{2, 2}, {1, 2}, {2, 1}}) {
    auto c = gates<double>(batch, heads, 120);
    by_token<double> gradient(batch, heads, 120);
    const auto mechanism = dot_product{} | softcap{3} | forgetting{c, gradient} | causal{} | sink{{0.5, -1}};
    backward(mechanism, in.q, in.k, in.v, kept_of(mechanism, in), attended{value.d_output, value.d_log_sum_exp});
    for (index_t at = 3; at < c.size(); at += c.size() / 40) {
      const double kept = c.data()[at], wanted = difference(1e-3, [&](double offset) {
                                          c.data()[at] = kept + offset;
                                          return value(mechanism, in);
                                        });
      c.data()[at] = kept;
      EXPECT_NEAR(gradient.data()[at], wanted, 1e-9) << at;
    }
  }
}

TYPED_TEST(forgetting_of, has_a_gradient_of_the_same_bits_for_any_threads) {
  using S = TypeParam;
  const auto in = random_inputs<float>({.batch = 2, .heads = 6, .key_heads = 2, .queries = 70, .keys = 333});
  const auto d_output = normal<float>(2, 6, 70, 8, 4);
  const auto c = gates<S>(1, 6, 333);
  by_token<S> gradient(1, 6, 333), again(1, 6, 333);
  const auto mechanism = dot_product{} | forgetting{c, gradient} | causal{};
  const auto kept = forward(mechanism, in.q, in.k, in.v);
  backward(mechanism, in.q, in.k, in.v, kept, d_output);
  for (const index_t threads : {2, 3, 5}) {
    again.setConstant(S(3));
    backward(std_threads{threads}, dot_product{} | forgetting{c, again} | causal{}, in.q, in.k, in.v, kept, d_output);
    EXPECT_TRUE(same_bits(gradient, again)) << threads;
  }
}

TEST(forgetting, names_what_it_refuses) {
  const auto in = random_inputs<float>(uneven);
  const auto words_with = [&](index_t b, index_t h, index_t n, const placement& where = {}) {
    const by_token<float> c = gates<float>(b, h, n);
    return words_of<shape_error>([&] { forward(dot_product{} | forgetting{c} | causal{}, in.q, in.k, in.v, where); });
  };
  EXPECT_EQ(words_with(2, 4, 301), "");
  EXPECT_EQ(words_with(1, 3, 301),
            "forgetting: c and the call differ in heads: 3 and 4; only an axis of extent 1 stands for all");
  EXPECT_EQ(words_with(3, 1, 301),
            "forgetting: c and the call differ in batch: 3 and 2; only an axis of extent 1 stands for all");
  EXPECT_EQ(words_with(1, 4, 300),
            "forgetting: c and the call differ in keys: 300 and 301; only an axis of extent 1 stands for all");
  EXPECT_EQ(words_with(1, 4, 1), "forgetting: c and key differ in tokens: 1 and 301");
  EXPECT_EQ(words_with(1, 4, 301, {.first_query = 300}),
            "forgetting: c has no number for the query at 336: the keys are from 0 to 301");
  EXPECT_EQ(words_with(1, 4, 301, {.first_query = 40, .first_key = 50, .all_keys = 351}),
            "forgetting: c has no number for the query at 40: the keys are from 50 to 351");
  const by_token<float> c = gates<float>(2, 4, 301);
  by_token<float> small(2, 4, 300), own(2, 4, 301);
  const auto with_gradient = [&](const auto& part) {
    return words_of<shape_error>([&] { forward(dot_product{} | part | causal{}, in.q, in.k, in.v); });
  };
  EXPECT_EQ(with_gradient(forgetting{c, own}), "");
  EXPECT_EQ(with_gradient(forgetting{c, small}), "forgetting: d_c and forgetting: c differ in tokens: 300 and 301");
  EXPECT_EQ(with_gradient(forgetting{own, own}),
            "forgetting: d_c shares memory with forgetting: c: a gradient needs memory of its own");
  EXPECT_EQ(words_of<shape_error>([&] { forgetting{view<const float>{c.data(), {1, 1, 6, 3}, {18, 18, 3, 1}}}; }),
            "forgetting: c has one number a row, as a view (batch, head, query, 1): its last extent must be 1, not 3");
}

// What is wrong is found before memory of the size of a wrong tensor is asked for.
TEST(forgetting, refuses_a_gradient_before_it_takes_memory) {
  const auto in = random_inputs<float>({.queries = 6, .keys = 6});
  const auto c = gates<float>(1, 1, 6);
  float number = 0;
  const view<float> huge{&number, {1, 1, index_t(1) << 45, 1}, {0, 0, 1, 1}};
  const auto kept = forward(dot_product{} | causal{}, in.q, in.k, in.v);
  EXPECT_EQ(words_of<shape_error>([&] {
              backward(dot_product{} | forgetting{c, huge} | causal{}, in.q, in.k, in.v, kept, normal<float>(1, 1, 6, 8, 4));
            }),
            "forgetting: d_c and forgetting: c differ in tokens: 35184372088832 and 6");
}

// They see nothing under a causal mask, and a text may have no tokens.
TEST(forgetting, of_queries_that_all_stand_before_the_first_token_is_nothing) {
  const auto in = random_inputs<float>({.queries = 2, .keys = 3});
  const auto c = gates<float>(1, 1, 3), none = gates<float>(1, 1, 0);
  const auto before = forward(dot_product{} | forgetting{c} | causal{}, in.q, in.k, in.v, {.first_query = -5});
  const auto empty = random_inputs<float>({.queries = 2, .keys = 0});
  const auto of_none = forward(dot_product{} | forgetting{none} | causal{}, empty.q, empty.k, empty.v);
  for (const auto& got : {before, of_none})
    for (index_t i = 0; i < 2; ++i) {
      EXPECT_EQ(got.output(0, 0, i, 0), 0);
      EXPECT_EQ(got.log_sum_exp(0, 0, i), -std::numeric_limits<float>::infinity());
    }
}

// A query before the first token has forgotten nothing; where it sees keys all the same, they count from there.
TEST(forgetting, of_queries_before_the_first_token_counts_from_0) {
  const auto in = random_inputs<double>({.queries = 6, .keys = 4});
  const auto c = gates<double>(1, 1, 4);
  tensor<double> numbers(1, 1, 6, 4);
  for (index_t i = 0; i < 6; ++i)
    for (index_t j = 0; j < 4; ++j) numbers(0, 0, i, j) = (i < 2 ? 0 : c(0, 0, i - 2)) - c(0, 0, j);
  by_token<double> gradient(1, 1, 4);
  const auto mechanism = dot_product{} | forgetting{c, gradient} | everything{};
  const auto got = forward(mechanism, in.q, in.k, in.v);
  EXPECT_LT(
      worst_difference(got.log_sum_exp, forward(dot_product{} | bias{numbers} | everything{}, in.q, in.k, in.v).log_sum_exp),
      1e-14);
  EXPECT_NO_THROW(backward(mechanism, in.q, in.k, in.v, got, normal<double>(1, 1, 6, 8, 4)));
}

}  // namespace

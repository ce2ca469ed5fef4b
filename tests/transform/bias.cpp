#include <longspan/transform/bias.hpp>

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

const lengths few{.batch = 2, .heads = 4, .key_heads = 2, .queries = 37, .keys = 301, .channels = 12, .value_channels = 7};

// Every choice of axes that stand for all.
template <class Visit>
void for_each_broadcast(Visit visit) {
  for (int axes = 0; axes < 16; ++axes)
    visit(std::array<index_t, 4>{axes & 1 ? 1 : few.batch, axes & 2 ? 1 : few.heads, axes & 4 ? 1 : few.queries,
                                 axes & 8 ? 1 : few.keys});
}
std::string words(const std::array<index_t, 4>& extent) {
  std::string all;
  for (const index_t each : extent) all += std::to_string(each) + " ";
  return all;
}

template <class S>
class bias_of : public testing::Test {};
using storages = testing::Types<float, double, Eigen::half, Eigen::bfloat16>;
TYPED_TEST_SUITE(bias_of, storages);

TYPED_TEST(bias_of, is_added_to_the_logits_of_any_broadcast) {
  const auto in = random_inputs<float>(few);
  for_each_broadcast([&](const std::array<index_t, 4>& extent) {
    const auto numbers = normal<TypeParam>(extent[0], extent[1], extent[2], extent[3], 11);
    const auto mechanism = dot_product{} | bias{numbers} | causal{};
    const auto got = forward(mechanism, in.q, in.k, in.v);
    const auto exact = reference::attention(mechanism, in.q, in.k, in.v);
    EXPECT_LT(worst_difference(got.output, exact.output), 5e-6) << words(extent);
    EXPECT_LT(worst_difference(got.log_sum_exp, exact.log_sum_exp), 5e-6) << words(extent);
  });
}

// The definition itself: against logits that hold the numbers already.
TEST(bias, is_the_number_of_the_row_and_the_key) {
  tensor<double> q(1, 2, 3, 1), k(1, 2, 5, 1), v(1, 2, 5, 1), numbers(1, 2, 3, 5);
  q.setConstant(0), k.setConstant(1), v.setConstant(1), numbers.setRandom();
  const auto got = reference::attention(dot_product{} | bias{numbers} | everything{}, q, k, v);
  for (index_t h = 0; h < 2; ++h)
    for (index_t i = 0; i < 3; ++i) {
      double sum = 0;
      for (index_t j = 0; j < 5; ++j) sum += std::exp(numbers(0, h, i, j));
      EXPECT_NEAR(got.log_sum_exp(0, h, i), std::log(sum), 1e-14);
    }
}

// Of any strides and ranks: column-major, transposed, reversed and spread numbers are the same numbers.
TEST(bias, is_read_where_it_lies) {
  const auto in = random_inputs<float>(few);
  const auto numbers = normal<float>(1, 1, few.queries, few.keys, 11);
  const auto wanted = forward(dot_product{} | bias{numbers} | causal{}, in.q, in.k, in.v);
  const auto expect = [&](const char* name, const auto& same) {
    EXPECT_TRUE(same_bits(forward(dot_product{} | same | causal{}, in.q, in.k, in.v).output, wanted.output)) << name;
  };
  Eigen::Tensor<float, 2, Eigen::RowMajor> matrix(few.queries, few.keys);
  Eigen::Tensor<float, 3> column_major(few.keys, few.queries, 1);
  Eigen::MatrixXf eigen(few.keys, few.queries);
  std::vector<float> transposed(std::size_t(few.queries * few.keys)), spread(std::size_t(few.queries * few.keys * 3));
  for (index_t i = 0; i < few.queries; ++i)
    for (index_t j = 0; j < few.keys; ++j) {
      matrix(i, j) = column_major(j, i, 0) = eigen(j, i) = numbers(0, 0, i, j);
      transposed[std::size_t(j * few.queries + i)] = spread[std::size_t((i * few.keys + few.keys - 1 - j) * 3)] =
          numbers(0, 0, i, j);
    }
  expect("matrix", bias{matrix});
  expect("column-major", bias{column_major});
  expect("Eigen's matrix", bias{eigen});
  expect("transposed", bias{view<const float>{transposed.data(), {1, 1, few.queries, few.keys}, {0, 0, 1, few.queries}}});
  expect("reversed",
         bias{view<float>{spread.data() + (few.keys - 1) * 3, {1, 1, few.queries, few.keys}, {0, 0, few.keys * 3, -3}}});
  const bias one{matrix};
  expect("copied", bias{one});
}

TEST(bias, that_says_what_alibi_says) {
  const auto in = random_inputs<float>(few);
  tensor<float> numbers(1, few.heads, few.queries, few.keys);
  for (index_t h = 0; h < few.heads; ++h)
    for (index_t i = 0; i < few.queries; ++i)
      for (index_t j = 0; j < few.keys; ++j)
        numbers(0, h, i, j) = -float(alibi::slope(h, few.heads)) * float(std::abs(i + few.keys - few.queries - j));
  EXPECT_LT(worst_difference(forward(dot_product{} | softcap{3} | bias{numbers} | causal{}, in.q, in.k, in.v).output,
                             reference::attention(dot_product{} | softcap{3} | alibi{} | causal{}, in.q, in.k, in.v).output),
            2e-6);
}

// What the mask hides is discarded, NaN too; -infinity hides by weight and leaves n as it is.
TEST(bias, cannot_touch_what_is_hidden_and_minus_infinity_is_no_mask) {
  const auto in = random_inputs<float>(few);
  tensor<float> numbers(1, 1, few.queries, few.keys);
  numbers.setZero();
  const auto mechanism = dot_product{} | log_n{.trained = 16} | bias{numbers} | causal{};
  const auto clean = forward(mechanism, in.q, in.k, in.v);
  for (index_t i = 0; i < few.queries; ++i)
    for (index_t j = i + few.keys - few.queries + 1; j < few.keys; ++j) numbers(0, 0, i, j) = std::nanf("");
  EXPECT_TRUE(same_bits(forward(mechanism, in.q, in.k, in.v).output, clean.output));
  numbers.setConstant(-HUGE_VALF);
  for (index_t i = 0; i < few.queries; ++i) numbers(0, 0, i, 3) = numbers(0, 0, i, 200) = 0;
  const auto two = forward(mechanism, in.q, in.k, in.v);
  EXPECT_LT(worst_difference(two.output, reference::attention(mechanism, in.q, in.k, in.v).output), 2e-6);
}

// Parts of the keys have their part of the bias.
TEST(bias, of_parts_of_the_keys_merges) {
  const auto in = random_inputs<float>(few);
  const auto numbers = normal<float>(1, few.heads, few.queries, few.keys, 11);
  const auto whole = forward(dot_product{} | bias{numbers} | causal{}, in.q, in.k, in.v);
  const auto part = [&](index_t first, index_t last) {
    const auto some = [&](const tensor<float>& t) {
      return tensor<float>(t.slice(Eigen::array<Eigen::Index, 4>{0, 0, first, 0},
                                   Eigen::array<Eigen::Index, 4>{t.dimension(0), t.dimension(1), last - first, t.dimension(3)}));
    };
    const tensor<float> own = numbers.slice(Eigen::array<Eigen::Index, 4>{0, 0, 0, first},
                                            Eigen::array<Eigen::Index, 4>{1, few.heads, few.queries, last - first});
    return forward(dot_product{} | bias{own} | causal{}, in.q, some(in.k), some(in.v),
                   {.first_query = few.keys - few.queries, .first_key = first, .all_keys = few.keys});
  };
  EXPECT_LT(worst_difference(merge(part(0, 100), part(100, few.keys)).output, whole.output), 2e-6);
}

TEST(bias, has_the_same_bits_in_prefill_and_in_decoding_and_for_any_threads) {
  const index_t tokens = 530;
  const auto in = random_inputs<float>({.heads = 2, .key_heads = 1, .queries = tokens, .keys = tokens});
  const auto numbers = normal<float>(1, 2, tokens, tokens, 11);
  const auto prefill = forward(dot_product{} | bias{numbers} | causal{}, in.q, in.k, in.v);
  EXPECT_TRUE(
      same_bits(forward(std_threads{3}, dot_product{} | bias{numbers} | causal{}, in.q, in.k, in.v).output, prefill.output));
  for (const index_t n : {1, 17, 256, 257, 530}) {
    const auto some = [](const tensor<float>& t, index_t from, index_t count) {
      return tensor<float>(t.slice(Eigen::array<Eigen::Index, 4>{0, 0, from, 0},
                                   Eigen::array<Eigen::Index, 4>{1, t.dimension(1), count, t.dimension(3)}));
    };
    const view<const float> row{numbers.data() + (n - 1) * tokens, {1, 2, 1, n}, {0, tokens * tokens, tokens, 1}};
    const auto decoded = forward(dot_product{} | bias{row} | causal{}, some(in.q, n - 1, 1), some(in.k, 0, n), some(in.v, 0, n));
    EXPECT_TRUE(same_bits(decoded.output, some(prefill.output, n - 1, 1))) << n;
  }
}

TEST(bias, names_what_it_refuses) {
  const auto in = random_inputs<float>(few);
  const auto words_with = [&](index_t b, index_t h, index_t i, index_t j) {
    const auto numbers = normal<float>(b, h, i, j, 1);
    return words_of<shape_error>([&] { forward(dot_product{} | bias{numbers} | causal{}, in.q, in.k, in.v); });
  };
  EXPECT_EQ(words_with(2, 4, 37, 301), "");
  EXPECT_EQ(words_with(3, 4, 37, 301), "bias and the call differ in batch: 3 and 2; only an axis of extent 1 stands for all");
  EXPECT_EQ(words_with(1, 2, 1, 301), "bias and the call differ in heads: 2 and 4; only an axis of extent 1 stands for all");
  EXPECT_EQ(words_with(1, 1, 36, 301), "bias and the call differ in queries: 36 and 37; only an axis of extent 1 stands for all");
  EXPECT_EQ(words_with(1, 1, 37, 302), "bias and the call differ in keys: 302 and 301; only an axis of extent 1 stands for all");
  EXPECT_EQ(words_with(1, 1, 37, 0), "bias and the call differ in keys: 0 and 301; only an axis of extent 1 stands for all");
  EXPECT_EQ(words_of<shape_error>([&] {
              forward(dot_product{} | bias{view<const float>{nullptr, {1, 1, 37, 301}, {}}} | causal{}, in.q, in.k, in.v);
            }),
            "bias has no memory behind its 11137 elements");
  // No output may lie on it.
  auto numbers = normal<float>(1, 1, 37, 301, 1);
  EXPECT_EQ(words_of<shape_error>([&] {
              forward_into(dot_product{} | bias{numbers} | causal{}, in.q, in.k, in.v,
                           view<float>{numbers.data(), {2, 4, 37, 7}, {4 * 37 * 7, 37 * 7, 7, 1}});
            }),
            "output shares memory with bias: attention cannot be computed in place");
}

}  // namespace

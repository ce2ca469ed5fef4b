// A bias over texts of different lengths: one that all texts share has the sum of their gradients, the same bits for any number of threads.
#include <array>

#include <gtest/gtest.h>

#include "support/devices.hpp"
#include "support/tensors.hpp"

#include <longspan/longspan.hpp>

namespace {

using namespace testing_support;
using namespace longspan;

constexpr std::array<index_t, 4> key_lengths{300, 1, 190, 61}, query_lengths{90, 1, 90, 33};

tensor<double> part(const tensor<double>& t, index_t b, index_t tokens) {
  return t.slice(Eigen::array<Eigen::Index, 4>{b, 0, 0, 0},
                 Eigen::array<Eigen::Index, 4>{1, t.dimension(1), tokens, t.dimension(3)});
}

TEST(biased_texts, sum_the_gradients_of_each_alone) {
  const auto in = random_inputs<double>(
      {.batch = 4, .heads = 4, .key_heads = 2, .queries = 90, .keys = 300, .channels = 8, .value_channels = 6});
  const auto d_output = normal<double>(4, 4, 90, 6, 4);
  const placement where{.key_lengths = key_lengths, .query_lengths = query_lengths};
  // For all; for each head; for each text; for each key.
  for (const auto& [batch, heads, queries] : {std::array<index_t, 3>{1, 1, 90}, {1, 4, 90}, {4, 1, 90}, {4, 4, 90}, {1, 4, 1}}) {
    const tensor<double> numbers = normal<double>(batch, heads, queries, 300, 9);
    tensor<double> d_numbers(numbers), again(numbers), sum(numbers * 0.);
    const auto mechanism = dot_product{} | bias{numbers, d_numbers} | causal{};
    const auto kept = forward(mechanism, in.q, in.k, in.v, where);
    const auto got = backward(mechanism, in.q, in.k, in.v, kept, d_output, where);
    for (const index_t threads : {2, 3, 7}) {
      const auto taking_again = dot_product{} | bias{numbers, again} | causal{};
      backward(std_threads{threads}, taking_again, in.q, in.k, in.v, kept, d_output, where);
      EXPECT_TRUE(same_bits(d_numbers, again)) << threads;
    }
    for (index_t b = 0; b < 4; ++b) {
      const index_t rows = query_lengths[std::size_t(b)], keys = key_lengths[std::size_t(b)];
      const Eigen::array<Eigen::Index, 4> first{batch == 1 ? 0 : b, 0, 0, 0}, size{1, heads, queries == 1 ? 1 : rows, keys};
      const tensor<double> own = numbers.slice(first, size);
      tensor<double> d_own(own);
      const auto alone = dot_product{} | bias{own, d_own} | causal{};
      const auto q = part(in.q, b, rows), k = part(in.k, b, keys), v = part(in.v, b, keys);
      const auto kept_alone = forward(alone, q, k, v);
      EXPECT_TRUE(same_bits(kept_alone.output, part(kept.output, b, rows)));
      EXPECT_TRUE(same_bits(backward(alone, q, k, v, kept_alone, part(d_output, b, rows)).d_query, part(got.d_query, b, rows)));
      sum.slice(first, size) += d_own;
    }
    EXPECT_LT(worst_difference(d_numbers, sum), 1e-12) << batch << heads << queries;
  }
}

}  // namespace

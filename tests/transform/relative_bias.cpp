#include <longspan/transform/relative_bias.hpp>

#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <string>

#include <longspan/longspan.hpp>

#include "support/devices.hpp"
#include "support/loss.hpp"
#include "support/tensors.hpp"
#include "support/words.hpp"

namespace {

using namespace longspan;
using namespace testing_support;

template <class T>
using matrix = Eigen::Tensor<T, 2, Eigen::RowMajor>;

template <class T>
matrix<T> random_table(index_t heads, index_t buckets) {
  const auto numbers = normal<T>(1, 1, heads, buckets, 11);
  matrix<T> table(heads, buckets);
  std::copy_n(numbers.data(), numbers.size(), table.data());
  return table;
}

// Every distance to itself, some distances in no order, and T5's.
index_t itself(index_t t) { return t; }
index_t shuffled(index_t t) { return (t * 7 + 3) % 10; }

TEST(t5_buckets, are_those_of_the_paper) {
  const std::array<index_t, 8> causal{0, 1, 15, 16, 32, 64, 127, 128}, wanted{0, 1, 15, 16, 21, 26, 31, 31};
  for (std::size_t n = 0; n < 8; ++n) EXPECT_EQ(t5_buckets{}(causal[n]), wanted[n]) << causal[n];
  EXPECT_EQ(t5_buckets{}(-5), 0);
  EXPECT_EQ(t5_buckets{}(1000000), 31);
  const t5_buckets both{.bidirectional = true};
  EXPECT_EQ(both(0), 0);
  EXPECT_EQ(both(7), 7);
  EXPECT_EQ(both(8), 8);
  EXPECT_EQ(both(200), 15);
  EXPECT_EQ(both(-1), 17);
  EXPECT_EQ(both(-7), 23);
  EXPECT_EQ(both(-200), 31);
}

// The same numbers as a bias of every query and key, whose gradient is then summed along the diagonals.
template <class T, class Bucket>
void expect_a_bias(const char* name, index_t heads_of_table, index_t buckets, Bucket bucket) {
  constexpr index_t heads = 4, queries = 90, keys = 333;
  const auto in = random_inputs<T>({.batch = 2, .heads = heads, .key_heads = 2, .queries = queries, .keys = keys});
  const matrix<T> table = random_table<T>(heads_of_table, buckets);
  matrix<T> gradient = table;
  tensor<double> numbers(1, heads, queries, keys), d_numbers = numbers;
  numbers.setZero();
  for (index_t h = 0; h < heads; ++h)
    for (index_t i = 0; i < queries; ++i)
      for (index_t j = 0; j <= i + keys - queries; ++j)
        numbers(0, h, i, j) = double(table(heads_of_table == 1 ? 0 : h, bucket(i + keys - queries - j)));
  const auto relative = dot_product{} | softcap{8} | relative_bias{table, bucket, gradient} | causal{};
  const auto wanted = reference::attention(dot_product{} | softcap{8} | bias{numbers} | causal{}, in.q, in.k, in.v);
  const double epsilon = std::numeric_limits<T>::epsilon();
  EXPECT_LT(worst_difference(reference::attention(relative, in.q, in.k, in.v).output, wanted.output), 1e-14) << name;
  EXPECT_LT(worst_difference(forward(relative, in.q, in.k, in.v).output, wanted.output), 30 * epsilon) << name;

  const auto d_output = normal<T>(2, heads, queries, 8, 5);
  const auto kept = kept_of(relative, in);
  backward(relative, in.q, in.k, in.v, kept, d_output);
  const matrix<T> on_one_thread = gradient;
  gradient.setConstant(T(7));
  backward(std_threads{3}, relative, in.q, in.k, in.v, kept, d_output);
  EXPECT_TRUE(same_bits(on_one_thread, gradient)) << name;

  const inputs<double> exact{in.q.template cast<double>(), in.k.template cast<double>(), in.v.template cast<double>()};
  const auto by_bias = dot_product{} | softcap{8} | bias{numbers, d_numbers} | causal{};
  backward(by_bias, exact.q, exact.k, exact.v, kept_of(by_bias, exact), tensor<double>(d_output.template cast<double>()));
  Eigen::Tensor<double, 2, Eigen::RowMajor> diagonals(heads_of_table, buckets);
  diagonals.setZero();
  for (index_t h = 0; h < heads; ++h)
    for (index_t i = 0; i < queries; ++i)
      for (index_t j = 0; j <= i + keys - queries; ++j)
        diagonals(heads_of_table == 1 ? 0 : h, bucket(i + keys - queries - j)) += d_numbers(0, h, i, j);
  EXPECT_LT(worst_difference(gradient, diagonals), 1000 * epsilon) << name;
}

TEST(relative_bias, is_a_bias_by_distance_and_so_is_its_gradient) {
  expect_a_bias<double>("every distance to itself", 4, 333, itself);
  expect_a_bias<double>("one table for all heads", 1, 333, itself);
  expect_a_bias<double>("in no order", 4, 10, shuffled);
  expect_a_bias<float>("T5", 4, 32, t5_buckets{});
}

// Texts have sums of their own; keys after the queries count as well.
TEST(relative_bias, sums_over_texts) {
  const auto in = random_inputs<double>({.batch = 3, .heads = 2, .key_heads = 1, .queries = 40, .keys = 40});
  const matrix<double> table = random_table<double>(2, 32);
  matrix<double> together = table, alone = table, all = table;
  all.setZero();
  const t5_buckets both{.bidirectional = true};
  const auto mechanism = [&](matrix<double>& gradient) {
    return dot_product{} | relative_bias{table, both, gradient} | sliding_window{30, 25};
  };
  const std::array<index_t, 3> tokens{40, 7, 0};
  const placement where{.key_lengths = tokens, .query_lengths = tokens};
  const auto d_output = normal<double>(3, 2, 40, 8, 5);
  const auto kept = forward(mechanism(together), in.q, in.k, in.v, where);
  backward(std_threads{3}, mechanism(together), in.q, in.k, in.v, kept, d_output, where);
  for (index_t b = 0; b < 2; ++b) {
    const auto text = [&](const tensor<double>& t) {
      return tensor<double>(t.slice(Eigen::array<Eigen::Index, 4>{b, 0, 0, 0},
                                    Eigen::array<Eigen::Index, 4>{1, t.dimension(1), tokens[std::size_t(b)], t.dimension(3)}));
    };
    const inputs<double> own{text(in.q), text(in.k), text(in.v)};
    backward(mechanism(alone), own.q, own.k, own.v, forward(mechanism(alone), own.q, own.k, own.v), text(d_output));
    all += alone;
  }
  EXPECT_LT(worst_difference(together, all), 1e-13);
}

TEST(relative_bias, names_what_it_refuses) {
  const auto in = random_inputs<float>({.heads = 2, .key_heads = 1, .queries = 40, .keys = 40});
  const matrix<float> table = random_table<float>(2, 32), three = random_table<float>(3, 32);
  const auto refused = [&](const matrix<float>& of, index_t (*bucket)(index_t)) {
    return words_of([&] { reference::attention(dot_product{} | relative_bias{of, bucket} | causal{}, in.q, in.k, in.v); });
  };
  EXPECT_EQ(refused(three, itself), "relative_bias and query differ in heads: 3 and 2");
  EXPECT_EQ(refused(table, itself), "relative_bias: distance 32 belongs to bucket 32, and the table has 32");
  matrix<float> small(2, 31);
  const auto kept = kept_of(dot_product{} | causal{}, in);
  EXPECT_EQ(words_of([&] {
              backward(dot_product{} | relative_bias{table, t5_buckets{}, small} | causal{}, in.q, in.k, in.v, kept, kept.output);
            }),
            "d_relative_bias and relative_bias differ in buckets: 31 and 32");
  matrix<float> of_one_head(1, 32);
  EXPECT_EQ(words_of([&] {
              backward(dot_product{} | relative_bias{table, t5_buckets{}, of_one_head} | causal{}, in.q, in.k, in.v, kept,
                       kept.output);
            }),
            "d_relative_bias and relative_bias differ in heads: 1 and 2");
}

// Before a distance asks for a bucket, whatever the lengths of the texts.
TEST(t5_buckets, must_have_distances_left_for_those_that_are_shared) {
  const auto in = random_inputs<float>({.heads = 2, .key_heads = 1, .queries = 4, .keys = 4});
  const matrix<float> table = random_table<float>(2, 32);
  const auto refused = [&](const t5_buckets& of) {
    return words_of([&] { forward(dot_product{} | relative_bias{table, of} | causal{}, in.q, in.k, in.v); });
  };
  const std::string longest = "t5_buckets: longest must be above the distances that have buckets of their own, not ";
  EXPECT_EQ(refused({.longest = 17}), "");
  EXPECT_EQ(refused({.longest = 16}), longest + "16");
  EXPECT_EQ(refused({.longest = 8, .bidirectional = true}), longest + "8");
  EXPECT_EQ(refused({.buckets = 2, .longest = 2}), "");
  EXPECT_EQ(refused({.buckets = 1}), "t5_buckets: buckets must be at least 2, not 1");
  EXPECT_EQ(refused({.buckets = 3, .bidirectional = true}), "t5_buckets: buckets must be at least 4, not 3");
}

}  // namespace

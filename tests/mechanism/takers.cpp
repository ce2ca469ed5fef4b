#include <longspan/mechanism/takers.hpp>

#include <gtest/gtest.h>

#include <longspan/longspan.hpp>

#include "support/tensors.hpp"
#include "support/words.hpp"

namespace {

using namespace testing_support;
using namespace longspan;

constexpr lengths of{.queries = 6, .keys = 6, .channels = 8, .value_channels = 8};

// What a part reads beside the queries and keys is an input as they are.
TEST(takers, results_on_what_a_part_reads_are_refused) {
  const auto in = random_inputs<float>(of);
  tensor<float> output(1, 1, 6, 8);
  output.setConstant(1);
  const auto words = [&](const auto& mechanism) {
    return words_of<shape_error>([&] { forward_into(mechanism, in.q, in.k, in.v, output); });
  };
  const Eigen::TensorMap<Eigen::Tensor<bool, 2, Eigen::RowMajor>> seen(reinterpret_cast<bool*>(output.data()), 6, 6);
  EXPECT_EQ(words(dot_product{} | boolean_mask{seen}),
            "output shares memory with boolean_mask: attention cannot be computed in place");
  const view<const float> ids{output.data(), {1, 1, 1, 6}, {6, 6, 6, 1}};
  const std::string ids_words = "output shares memory with positions: attention cannot be computed in place";
  EXPECT_EQ(words(rope{}.at(positions{ids}) | dot_product{} | causal{}), ids_words);
  EXPECT_EQ(words(rope{}.at([](index_t place) { return place; }, positions{ids}) | dot_product{} | causal{}), ids_words);
  for (index_t i = 0; i < output.size(); ++i) EXPECT_EQ(output.data()[i], 1);
}

TEST(takers, gradients_on_what_a_part_reads_are_refused) {
  const auto in = random_inputs<float>(of);
  const auto kept = forward(dot_product{} | causal{}, in.q, in.k, in.v);
  const auto d_output = normal<float>(1, 1, 6, 8, 4);
  const tensor<float> numbers = normal<float>(1, 1, 6, 6, 5);
  tensor<float> gradient(1, 1, 6, 6);
  gradient.setConstant(1);
  const Eigen::TensorMap<Eigen::Tensor<bool, 2, Eigen::RowMajor>> seen(reinterpret_cast<bool*>(gradient.data()), 6, 6);
  EXPECT_EQ(words_of<shape_error>([&] {
              backward(dot_product{} | bias{numbers, gradient} | boolean_mask{seen}, in.q, in.k, in.v, kept, d_output);
            }),
            "d_bias shares memory with boolean_mask: a gradient needs memory of its own");
}

}  // namespace

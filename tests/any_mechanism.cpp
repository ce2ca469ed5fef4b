#include <longspan/any_mechanism.hpp>

#include <gtest/gtest.h>

#include <array>
#include <stdexcept>
#include <utility>

#include <longspan/longspan.hpp>

#include "support/tensors.hpp"

namespace {

using namespace testing_support;
using namespace longspan;

constexpr lengths of{.batch = 2, .heads = 4, .key_heads = 2, .queries = 150, .keys = 150, .channels = 20, .value_channels = 9};
const auto sentence = rope{} | dot_product{} | scale_invariant{} | causal{} | sink{{0.5, -1, 2, 0}};
const any_mechanism<float> any = make_any<float, float, quantized<8>>(sentence);

tensor<float> some_tokens(const tensor<float>& t, index_t first, index_t count) {
  return t.slice(Eigen::array<index_t, 4>{0, 0, first, 0},
                 Eigen::array<index_t, 4>{t.dimension(0), t.dimension(1), count, t.dimension(3)});
}

TEST(any_mechanism, has_the_bits_of_its_sentence) {
  const auto in = random_inputs<float>(of);
  const auto expected = forward(sentence, in.q, in.k, in.v), got = forward(any, in.q, in.k, in.v);
  EXPECT_TRUE(same_bits(got.output, expected.output));
  EXPECT_TRUE(same_bits(got.log_sum_exp, expected.log_sum_exp));
  tensor<float> output(2, 4, 150, 9);
  Eigen::Tensor<float, 3, Eigen::RowMajor> sums(2, 4, 150);
  forward_into(any, in.q, in.k, in.v, output, sums);
  EXPECT_TRUE(same_bits(output, expected.output) && same_bits(sums, expected.log_sum_exp));
  output.setZero();
  forward_into(any, in.q, in.k, in.v, output);
  EXPECT_TRUE(same_bits(output, expected.output));
}

TEST(any_mechanism, takes_texts_devices_and_matrices) {
  const auto in = random_inputs<float>(of);
  const std::array<index_t, 2> lengths{70, 150};
  const placement padded{.key_lengths = lengths, .query_lengths = lengths};
  const auto expected = forward(sentence, in.q, in.k, in.v, padded);
  Eigen::ThreadPool pool(3);
  const Eigen::ThreadPoolDevice device(&pool, 3);
  EXPECT_TRUE(same_bits(forward(any, in.q, in.k, in.v, padded).output, expected.output));
  EXPECT_TRUE(same_bits(forward(device, any, in.q, in.k, in.v, padded).output, expected.output));
  EXPECT_TRUE(same_bits(forward(device, any, in.q, in.k, in.v, padded).output, expected.output));

  const auto one_head = make_any_for_inference<float>(dot_product{} | causal{});
  const Eigen::MatrixXf q = Eigen::MatrixXf::Random(8, 30);
  EXPECT_TRUE(same_bits(forward(one_head, q, q, q).output, forward(dot_product{} | causal{}, q, q, q).output));
}

TEST(any_mechanism, has_the_gradients_of_its_sentence) {
  const auto in = random_inputs<float>(of);
  const auto kept = forward(any, in.q, in.k, in.v);
  const auto d_output = normal<float>(2, 4, 150, 9, 7);
  Eigen::Tensor<float, 3, Eigen::RowMajor> d_sums(2, 4, 150);
  d_sums.setConstant(0.5f);
  const auto expect = [&](const auto& d_kept) {
    const auto expected = backward(sentence, in.q, in.k, in.v, kept, d_kept), got = backward(any, in.q, in.k, in.v, kept, d_kept);
    EXPECT_TRUE(same_bits(got.d_query, expected.d_query));
    EXPECT_TRUE(same_bits(got.d_key, expected.d_key));
    EXPECT_TRUE(same_bits(got.d_value, expected.d_value));
    auto into = expected;
    for (auto* each : {&into.d_query, &into.d_key, &into.d_value}) each->setZero();
    backward_into(any, in.q, in.k, in.v, kept, d_kept, into.d_query, into.d_key, into.d_value);
    EXPECT_TRUE(same_bits(into.d_query, expected.d_query));
  };
  expect(d_output);
  expect(attended{d_output, d_sums});
  EXPECT_THROW(backward(make_any_for_inference<float>(dot_product{} | causal{}), in.q, in.k, in.v, kept, d_output),
               std::invalid_argument);
}

template <class Storage>
void expect_the_bits_of_a_cache(any_cache<float> cache) {
  const auto in = random_inputs<float>(of);
  kv_cache<Storage> expected(sentence, cache.shape());
  for (index_t first = 0; const index_t count : {1, 140, 9}) {
    cache.append(some_tokens(in.k, first, count), some_tokens(in.v, first, count));
    expected.append(some_tokens(in.k, first, count), some_tokens(in.v, first, count));
    first += count;
  }
  const auto last = some_tokens(in.q, 148, 2);
  const auto of_cache = forward(sentence, last, expected), got = forward(any, last, cache);
  EXPECT_TRUE(same_bits(got.output, of_cache.output) && same_bits(got.log_sum_exp, of_cache.log_sum_exp));

  any_cache<float> other = cache;
  other.truncate(1, 20);
  EXPECT_EQ(other.length(1), 20);
  EXPECT_EQ(cache.length(1), 150);
  tensor<float> output(2, 4, 2, 9);
  forward_into(any, last, cache, output);
  EXPECT_TRUE(same_bits(output, of_cache.output));
  output.setZero();
  Eigen::Tensor<float, 3, Eigen::RowMajor> sums(2, 4, 2);
  forward_into(any, last, cache, output, sums);
  EXPECT_TRUE(same_bits(output, of_cache.output) && same_bits(sums, of_cache.log_sum_exp));
  EXPECT_TRUE(same_bits(forward(any, last, cache, placement{.first_query = 100}).output,
                        forward(sentence, last, expected, placement{.first_query = 100}).output));
  other.erase(0), other.copy(1, 0);
  EXPECT_EQ(other.length(0), 20);
  EXPECT_LT(other.bytes(), cache.bytes());
}

TEST(any_cache, has_the_bits_of_the_cache_that_it_is) {
  const cache_shape shape{.key_heads = 2, .channels = 20, .value_channels = 9, .texts = 2};
  expect_the_bits_of_a_cache<float>(any_cache<float>(any, shape));
  expect_the_bits_of_a_cache<quantized<8>>(any_cache<float>(any, shape, std::in_place_type<quantized<8>>));
}

TEST(any_mechanism, may_be_a_sum_that_no_cache_keeps) {
  const auto sum = rerope(40);
  const any_mechanism<float> some = make_any_for_inference<float>(prepare(sum, {.keys = 150, .channels = 20}));
  const auto in = random_inputs<float>(of);
  EXPECT_TRUE(same_bits(forward(some, in.q, in.k, in.v).output, forward(sum, in.q, in.k, in.v).output));
  EXPECT_THROW(any_cache<float>(some, {.key_heads = 2, .channels = 20, .value_channels = 9}), std::invalid_argument);
  EXPECT_THROW(forward(some, in.q, any_cache<float>(any, {.key_heads = 2, .channels = 20, .value_channels = 9})),
               std::invalid_argument);
}

// An error of the door, in its words, before anything is written.
template <class Error, class Call>
void expect_error(const char* words, Call call) {
  try {
    call();
    ADD_FAILURE() << "nothing is thrown: " << words;
  } catch (const Error& error) {
    EXPECT_STREQ(error.what(), words);
  }
}

TEST(any_mechanism, refuses_what_its_sentence_refuses) {
  const auto in = random_inputs<float>(of);
  const auto short_values = some_tokens(in.v, 0, 149);
  tensor<float> output(2, 4, 150, 9);
  const char* const words = "key and value differ in tokens: 150 and 149";
  expect_error<shape_error>(words, [&] { forward(any, in.q, in.k, short_values); });
  expect_error<shape_error>(words, [&] { forward_into(any, in.q, in.k, short_values, output); });
  const auto kept = forward(any, in.q, in.k, in.v);
  expect_error<shape_error>(words, [&] { backward(any, in.q, in.k, short_values, kept, kept.output); });
  using longspan::view;
  const view<float> negative{nullptr, {1, 1, -1, 8}, {}};
  expect_error<shape_error>("query has a negative extent: -1", [&] { forward(any, negative, in.k, in.v); });

  const cache_shape shape{.key_heads = 2, .channels = 20, .value_channels = 9};
  any_cache<float> cache(any, shape);
  expect_error<shape_error>("query and cache differ in texts: 2 and 1", [&] { forward(any, in.q, cache); });
  EXPECT_THROW(any_cache<float>(any, shape, std::in_place_type<Eigen::half>), std::invalid_argument);
  EXPECT_THROW(forward(make_any_for_inference<float, quantized<8>>(dot_product{} | causal{}), in.q, cache),
               std::invalid_argument);
  EXPECT_THROW(forward(make_any_for_inference<float>(dot_product{} | sliding_window{.before = -1} | causal{}), in.q, in.k, in.v),
               std::invalid_argument);
}

}  // namespace

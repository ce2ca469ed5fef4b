#include <longspan/mechanism/prepare.hpp>

#include <string>

#include <gtest/gtest.h>

#include <longspan/longspan.hpp>

#include "support/tensors.hpp"
#include "support/words.hpp"

namespace {

using namespace testing_support;
using namespace longspan;

const auto sentence = rope{} | dot_product{} | scale_invariant{} | sliding_window{90} | sink{0.5};

TEST(prepare, makes_a_sentence_with_the_same_bits) {
  const auto ready = prepare(sentence, {.keys = 300, .channels = 16});
  for (const index_t queries : {1, 7, 150}) {
    const auto in = random_inputs<float>(
        {.batch = 2, .heads = 4, .key_heads = 2, .queries = queries, .keys = 150, .channels = 16, .value_channels = 16});
    const auto wanted = forward(sentence, in.q, in.k, in.v), got = forward(ready, in.q, in.k, in.v);
    EXPECT_TRUE(same_bits(got.output, wanted.output) && same_bits(got.log_sum_exp, wanted.log_sum_exp)) << queries;
    const auto d_wanted = backward(sentence, in.q, in.k, in.v, wanted, wanted.output);
    const auto d_got = backward(ready, in.q, in.k, in.v, wanted, wanted.output);
    EXPECT_TRUE(same_bits(d_got.d_query, d_wanted.d_query) && same_bits(d_got.d_key, d_wanted.d_key)) << queries;
  }
}

TEST(prepare, makes_a_sentence_for_double) {
  const auto in = random_inputs<double>({.queries = 40, .keys = 40, .channels = 16, .value_channels = 16});
  const auto ready = prepare<double>(sentence, {.keys = 40, .channels = 16});
  EXPECT_TRUE(same_bits(forward(ready, in.q, in.k, in.v).output, forward(sentence, in.q, in.k, in.v).output));
}

// A cache keeps tables of its own: to it both are one sentence.
TEST(prepare, makes_the_sentence_of_a_cache) {
  const auto in =
      random_inputs<float>({.heads = 4, .key_heads = 2, .queries = 3, .keys = 150, .channels = 16, .value_channels = 16});
  const auto ready = prepare(sentence, {.keys = 100, .channels = 16});
  kv_cache<float> cache(sentence, {.key_heads = 2, .channels = 16, .value_channels = 16});
  kv_cache<float> other(ready, {.key_heads = 2, .channels = 16, .value_channels = 16});
  cache.append(in.k, in.v), other.append(in.k, in.v);
  const auto wanted = forward(sentence, in.q, cache).output;
  EXPECT_TRUE(same_bits(forward(ready, in.q, cache).output, wanted));
  EXPECT_TRUE(same_bits(forward(sentence, in.q, other).output, wanted));
}

TEST(prepare, what_lies_beyond_is_said) {
  const auto ready = prepare(sentence, {.keys = 100, .channels = 16});
  const auto message = [&](const lengths& of) {
    const auto in = random_inputs<float>(of);
    return words_of<shape_error>([&] { forward(ready, in.q, in.k, in.v); });
  };
  EXPECT_EQ(message({.queries = 1, .keys = 100, .channels = 16, .value_channels = 16}), "");
  EXPECT_NE(message({.queries = 1, .keys = 101, .channels = 16, .value_channels = 16}).find("was prepared for"),
            std::string::npos);
  EXPECT_NE(message({.queries = 1, .keys = 50, .channels = 32, .value_channels = 16}).find("channels"), std::string::npos);
  EXPECT_THROW(prepare(dot_product{} | scale_invariant{.tau = -1} | causal{}, {.keys = 10, .channels = 16}),
               std::invalid_argument);
}

}  // namespace

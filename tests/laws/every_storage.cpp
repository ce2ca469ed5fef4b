// Numbers of every width: the same bits however they are computed, and what narrow ones round.
#include <cmath>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "support/tensors.hpp"
#include "support/token_major.hpp"

namespace {

using namespace testing_support;
using namespace longspan;
using namespace longspan::detail;

// Two sentences, as each is compiled for every storage: keys as they lie, and keys that are turned.
auto windowed(index_t window) { return dot_product{} | alibi{} | sinks_and_window{.sinks = 3, .window = window}; }
const auto turned = rope{} | dot_product{} | scale_invariant{} | causal{};

template <class S>
class bits_of : public testing::Test {};
using storages = testing::Types<float, double, Eigen::half, Eigen::bfloat16>;
TYPED_TEST_SUITE(bits_of, storages);

// Few rows stream their keys, more of them broadcast them, many share packed heads: the same bits, from keys as they lie (32 channels)
// and prepared ones (20), with groups that a streamed key can and cannot serve at once, over three tiles, on two threads.
TYPED_TEST(bits_of, decoding_and_prefill_are_the_same) {
  using S = TypeParam;
  Eigen::ThreadPool pool(2);
  const Eigen::ThreadPoolDevice device(&pool, 2);
  const auto sentence = windowed(900);
  for (const index_t channels : {20, 32})
    for (const index_t heads : {1, 4, 8, 9, 30}) {
      const index_t tokens = 1101, queries = 60 / heads + 2;
      const auto in = random_inputs<S>({.heads = heads,
                                        .key_heads = 1,
                                        .queries = queries,
                                        .keys = tokens,
                                        .channels = channels,
                                        .value_channels = channels + 16});
      const auto prefill = forward(sentence, in.q, in.k, in.v);
      for (const index_t count : {1, 2}) {
        const tensor<S> last = in.q.slice(Eigen::array<Eigen::Index, 4>{0, 0, queries - count, 0},
                                          Eigen::array<Eigen::Index, 4>{1, heads, count, channels});
        const auto decoded = forward(device, sentence, last, in.k, in.v);
        for (index_t h = 0; h < heads; ++h)
          for (index_t i = 0; i < count; ++i) {
            EXPECT_EQ(decoded.log_sum_exp(0, h, i), prefill.log_sum_exp(0, h, queries - count + i))
                << heads << " heads, " << channels;
            for (index_t c = 0; c < channels + 16; ++c)
              ASSERT_EQ(decoded.output(0, h, i, c), prefill.output(0, h, queries - count + i, c))
                  << heads << " heads, " << channels;
          }
      }
    }
}

// Heads whose tokens lie side by side pass a tile together, where few rows read each: as many as one pass takes, over three tiles, keys
// as they lie and turned, with a window whose edges cut panels, on any number of threads.
TYPED_TEST(bits_of, decoding_is_the_same_head_by_head_and_side_by_side) {
  using S = TypeParam;
  const auto agree = [&](const auto& sentence, const testing_support::lengths& of) {
    const auto in = random_inputs<S>(of);
    const auto head_by_head = forward(sentence, in.q, in.k, in.v);
    std::vector<S> keys, values;
    const view<const S> k = token_major(in.k, keys), v = token_major(in.v, values);
    for (const int threads : {1, 3}) {
      Eigen::ThreadPool pool(threads);
      const auto side_by_side = forward(Eigen::ThreadPoolDevice(&pool, threads), sentence, in.q, k, v);
      EXPECT_TRUE(same_bits(side_by_side.output, head_by_head.output)) << of.heads << " heads, " << threads << " threads";
      EXPECT_TRUE(same_bits(side_by_side.log_sum_exp, head_by_head.log_sum_exp)) << of.heads << " heads, " << threads;
    }
  };
  for (const auto& [key_heads, group] : {std::pair<index_t, index_t>{3, 4}, {8, 1}, {2, 9}, {30, 1}}) {
    testing_support::lengths of{.heads = key_heads * group, .key_heads = key_heads, .queries = 1, .keys = 1101};
    of.channels = 32, of.value_channels = 48;
    agree(windowed(900), of);
    of.batch = 2, of.queries = 2, of.keys = 290;
    agree(turned, of);
  }
}

// A hidden key may share its word with one that is seen.
TYPED_TEST(bits_of, hidden_neighbours_do_not_touch_a_row) {
  using S = TypeParam;
  const index_t tokens = 90;
  const auto sentence = windowed(7);
  for (const index_t queries : {1, 60}) {
    const auto in =
        random_inputs<S>({.heads = 2, .key_heads = 1, .queries = queries, .keys = tokens, .channels = 32, .value_channels = 16});
    const auto clean = forward(sentence, in.q, in.k, in.v);
    for (index_t poisoned = 0; poisoned < tokens; ++poisoned) {
      auto bad = in;
      for (index_t c = 0; c < 16; ++c) bad.v(0, 0, poisoned, c) = S(c % 2 ? NAN : INFINITY);
      const auto touched = forward(sentence, bad.q, bad.k, bad.v);
      for (index_t i = 0; i < queries; ++i) {
        const index_t position = tokens - queries + i;
        const bool seen = poisoned <= position && (poisoned < 3 || position - poisoned < 7);
        for (index_t h = 0; h < 2; ++h)
          for (index_t c = 0; c < 16; ++c) {
            if (seen)
              ASSERT_FALSE(std::isfinite(float(touched.output(0, h, i, c)))) << i << " sees " << poisoned;
            else
              ASSERT_EQ(touched.output(0, h, i, c), clean.output(0, h, i, c)) << i << " does not see " << poisoned;
          }
      }
    }
  }
}

// Half and bfloat16 are storage: products and softmax are float, and only the output rounds. Unless products read bfloat16 themselves.
template <class S>
class narrow_storage : public testing::Test {};
using narrow_storages = testing::Types<Eigen::half, Eigen::bfloat16>;
TYPED_TEST_SUITE(narrow_storage, narrow_storages);

TYPED_TEST(narrow_storage, computes_in_float) {
  using S = TypeParam;
  const auto in = random_inputs<S>({.heads = 2, .key_heads = 1, .queries = 50, .keys = 70, .channels = 16, .value_channels = 12});
  const auto narrow = forward(turned, in.q, in.k, in.v);
  const auto wide = forward(turned, tensor<float>(in.q.template cast<float>()), tensor<float>(in.k.template cast<float>()),
                            tensor<float>(in.v.template cast<float>()));
  static_assert(std::is_same_v<typename decltype(narrow.log_sum_exp)::Scalar, float>);
  if constexpr (std::is_same_v<typename storage_words<S>::type, number_words<float>>) {
    EXPECT_TRUE(same_bits(narrow.log_sum_exp, wide.log_sum_exp));
    for (Eigen::Index i = 0; i < narrow.output.size(); ++i) EXPECT_EQ(narrow.output.data()[i], S(wide.output.data()[i]));
  }
}

// Where the instruction set multiplies bfloat16, the weights round to it before they meet the values, and so does the output: each by
// at most 2^-8 of what it is. The logits are those of float.
TYPED_TEST(narrow_storage, rounds_weights_and_output_at_most) {
  using S = TypeParam;
  for (const index_t queries : {1, 50, 130}) {
    const auto in =
        random_inputs<S>({.heads = 2, .key_heads = 1, .queries = queries, .keys = 701, .channels = 40, .value_channels = 12});
    const auto sentence = windowed(600);
    const auto narrow = forward(sentence, in.q, in.k, in.v);
    const auto exact = reference::attention(sentence, in.q, in.k, in.v);
    auto sizes = in.v;
    for (Eigen::Index i = 0; i < sizes.size(); ++i) sizes.data()[i] = S(std::abs(float(sizes.data()[i])));
    const auto size = reference::attention(sentence, in.q, in.k, sizes);  // sum of weight |value|
    EXPECT_LT(worst_difference(narrow.log_sum_exp, exact.log_sum_exp), 1e-5);
    for (Eigen::Index i = 0; i < narrow.output.size(); ++i)
      EXPECT_NEAR(double(float(narrow.output.data()[i])), exact.output.data()[i],
                  (size.output.data()[i] + 1.01 * std::abs(exact.output.data()[i])) / 256);
  }
}

}  // namespace

// The same input gives the same bits, however it is computed.
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "support/devices.hpp"
#include "support/tensors.hpp"
#include "support/token_major.hpp"

namespace {

using namespace testing_support;
using namespace longspan;
using namespace longspan::detail;

const auto mechanism = rms_normalize{} | p_rope{} | dot_product{} | info_scale{.trained = 64} | scale_invariant{} |
                       sinks_and_window{.sinks = 5, .window = 400};

TEST(bits, do_not_depend_on_the_number_of_threads) {
  const auto in =
      random_inputs<float>({.heads = 4, .key_heads = 2, .queries = 333, .keys = 333, .channels = 24, .value_channels = 20});
  const auto alone = forward(mechanism, in.q, in.k, in.v);
  for (const int threads : {1, 2, 3, 7}) {
    Eigen::ThreadPool pool(threads);
    const auto together = forward(Eigen::ThreadPoolDevice(&pool, threads), mechanism, in.q, in.k, in.v);
    EXPECT_TRUE(same_bits(alone.output, together.output)) << threads;
    EXPECT_TRUE(same_bits(alone.log_sum_exp, together.log_sum_exp)) << threads;
  }
}

TEST(bits, do_not_depend_on_the_device) {
  const auto in =
      random_inputs<float>({.heads = 4, .key_heads = 2, .queries = 333, .keys = 333, .channels = 24, .value_channels = 20});
  const auto alone = forward(mechanism, in.q, in.k, in.v);
  const auto check = [&](const auto& device) {
    const auto together = forward(device, mechanism, in.q, in.k, in.v);
    EXPECT_TRUE(same_bits(alone.output, together.output));
    EXPECT_TRUE(same_bits(alone.log_sum_exp, together.log_sum_exp));
  };
  for (const index_t threads : {1, 2, 5}) check(std_threads{threads}), check(backwards{threads});
}

TEST(bits, do_not_depend_on_the_batch) {
  const auto in = random_inputs<float>(
      {.batch = 3, .heads = 2, .key_heads = 1, .queries = 60, .keys = 290, .channels = 16, .value_channels = 16});
  const auto all = forward(mechanism, in.q, in.k, in.v);
  for (index_t b = 0; b < 3; ++b) {
    const auto one = [&](const tensor<float>& t) {
      return tensor<float>(t.slice(Eigen::array<Eigen::Index, 4>{b, 0, 0, 0},
                                   Eigen::array<Eigen::Index, 4>{1, t.dimension(1), t.dimension(2), t.dimension(3)}));
    };
    EXPECT_TRUE(same_bits(forward(mechanism, one(in.q), one(in.k), one(in.v)).output, one(all.output))) << b;
  }
}

TEST(bits, do_not_depend_on_alignment_or_strides) {
  const index_t heads = 2, tokens = 130, channels = 32;
  const auto in = random_inputs<float>(
      {.heads = heads, .key_heads = heads, .queries = tokens, .keys = tokens, .channels = channels, .value_channels = channels});
  const auto packed = forward(mechanism, in.q, in.k, in.v);
  for (const index_t misalignment : {0, 1, 3})
    for (const index_t channel_stride : {1, 2}) {
      const auto spread = [&](const tensor<float>& t, std::vector<float>& memory) {
        const index_t row = channels * channel_stride + 5;
        memory.assign(std::size_t(misalignment + heads * tokens * row), 1e30f);
        const view<float> made{memory.data() + misalignment, {1, heads, tokens, channels}, {0, row, heads * row, channel_stride}};
        for (index_t h = 0; h < heads; ++h)
          for (index_t i = 0; i < tokens; ++i)
            for (index_t c = 0; c < channels; ++c) made.head(0, h).row(i)[c * channel_stride] = t(0, h, i, c);
        return made;
      };
      std::vector<float> q, k, v;
      EXPECT_TRUE(same_bits(forward(mechanism, spread(in.q, q), spread(in.k, k), spread(in.v, v)).output, packed.output))
          << misalignment << channel_stride;
    }
}

// Over many keys more rows decode than over few.
TEST(bits, do_not_depend_on_how_many_rows_share_many_keys) {
  const index_t keys = 4200, queries = 90;
  const auto in = random_inputs<float>({.queries = queries, .keys = keys, .channels = 128, .value_channels = 128});
  const auto all = forward(dot_product{} | causal{}, in.q, in.k, in.v);
  for (const index_t i : {0, 1, 47, 48, 89}) {
    const tensor<float> row = in.q.slice(Eigen::array<Eigen::Index, 4>{0, 0, i, 0}, Eigen::array<Eigen::Index, 4>{1, 1, 1, 128});
    const auto alone = forward(dot_product{} | causal{}, row, in.k, in.v, {.first_query = keys - queries + i});
    for (index_t c = 0; c < 128; ++c) ASSERT_EQ(alone.output(0, 0, 0, c), all.output(0, 0, i, c)) << "row " << i;
  }
}

// Texts with more query rows than the first, and more than stream their keys.
TEST(bits, of_texts_with_more_rows_do_not_depend_on_heads_side_by_side) {
  const index_t heads = 4, tokens = 200, channels = 32;
  const auto in = random_inputs<float>({.batch = 2,
                                        .heads = heads,
                                        .key_heads = heads,
                                        .queries = 20,
                                        .keys = tokens,
                                        .channels = channels,
                                        .value_channels = channels});
  std::vector<float> keys, values;
  const view<const float> k = token_major(in.k, keys), v = token_major(in.v, values);
  const std::vector<index_t> queries{1, 20};
  const placement where{.query_lengths = queries};
  EXPECT_TRUE(same_bits(forward(dot_product{} | causal{}, in.q, k, v, where).output,
                        forward(dot_product{} | causal{}, in.q, in.k, in.v, where).output));
}

}  // namespace

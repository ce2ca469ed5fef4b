// The same input gives the same bits, however it is computed.
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "support/bound_of.hpp"
#include "support/devices.hpp"
#include "support/mechanisms.hpp"
#include "support/tensors.hpp"

namespace {

using namespace testing_support;
using namespace longspan;
using namespace longspan::detail;

const auto mechanism = rms_normalize{} | p_rope{} | dot_product{} | info_scale{.trained = 64} | scale_invariant{} |
                       sinks_and_window{.sinks = 5, .window = 400};

TEST(bits, do_not_depend_on_the_number_of_threads) {
  const auto in = random_inputs<float>(
      {.batch = 2, .heads = 4, .key_heads = 2, .queries = 333, .keys = 333, .channels = 24, .value_channels = 20});
  const auto alone = forward(mechanism, in.q, in.k, in.v);
  for (const int threads : {1, 2, 3, 7}) {
    Eigen::ThreadPool pool(threads);
    const auto together = forward(Eigen::ThreadPoolDevice(&pool, threads), mechanism, in.q, in.k, in.v);
    EXPECT_TRUE(same_bits(alone.output, together.output)) << threads;
    EXPECT_TRUE(same_bits(alone.log_sum_exp, together.log_sum_exp)) << threads;
  }
}

TEST(bits, do_not_depend_on_the_device) {
  const auto in = random_inputs<float>(
      {.batch = 2, .heads = 4, .key_heads = 2, .queries = 333, .keys = 333, .channels = 24, .value_channels = 20});
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

// Whether no row of a mechanism sees a key after itself, so that decoding knows no less than the prefill.
template <class Mechanism>
bool causal_only(const Mechanism& each) {
  const auto bound = testing_support::bound_of(each, shapes{.batch = 1,
                                                            .heads = 2,
                                                            .key_heads = 1,
                                                            .queries = 50,
                                                            .keys = 50,
                                                            .channels = 12,
                                                            .value_channels = 10,
                                                            .all_keys = 50});
  for (index_t i = 0; i < 50; ++i)
    if (bound.seen->keys_of(0, i).hull().last > i + 1) return false;
  return true;
}

// A row of the prefill is the row that decoding computes, whatever tile it fell in: for every mechanism, over tile boundaries.
TEST(bits, are_the_same_in_prefill_and_in_decoding) {
  const index_t tokens = 530;
  const auto in =
      random_inputs<float>({.heads = 2, .key_heads = 1, .queries = tokens, .keys = tokens, .channels = 12, .value_channels = 10});
  const auto first = [&](const tensor<float>& t, index_t from, index_t count) {
    return tensor<float>(t.slice(Eigen::array<Eigen::Index, 4>{0, 0, from, 0},
                                 Eigen::array<Eigen::Index, 4>{1, t.dimension(1), count, t.dimension(3)}));
  };
  for_each_kind_of_mechanism([&](const char* name, const auto& each) {
    const auto prefill = forward(each, in.q, in.k, in.v);
    for (const index_t n : {1, 2, 17, 255, 256, 257, 511, 530}) {
      const auto row = first(in.q, n - 1, 1);
      const auto among_all = forward(each, row, in.k, in.v, {.first_query = n - 1});
      EXPECT_TRUE(same_bits(among_all.output, first(prefill.output, n - 1, 1))) << name << " at " << n;
      if (!causal_only(each)) continue;
      const auto decoded = forward(each, row, first(in.k, 0, n), first(in.v, 0, n));
      EXPECT_TRUE(same_bits(decoded.output, first(prefill.output, n - 1, 1))) << name << " at " << n;
    }
  });
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
  const auto sentence = dot_product{} | scale_invariant{} | sinks_and_window{.sinks = 3, .window = 900};
  for (const index_t channels : {20, 32})
    for (const index_t heads : {1, 4, 8, 9, 30}) {
      const index_t tokens = 1101, queries = 60;
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

// A copy of a tensor, (batch, token, head, channel) in memory.
template <class S>
view<const S> token_major(const tensor<S>& t, std::vector<S>& memory) {
  const index_t batch = t.dimension(0), heads = t.dimension(1), tokens = t.dimension(2), channels = t.dimension(3);
  memory.resize(std::size_t(t.size()));
  const view<S> made{memory.data(), {batch, heads, tokens, channels}, {heads * tokens * channels, channels, heads * channels, 1}};
  copy_tokens(this_thread{}, view_of(t), made);
  return made;
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
  const auto windowed = dot_product{} | alibi{} | sinks_and_window{.sinks = 3, .window = 900};
  for (const auto& [key_heads, group] : {std::pair<index_t, index_t>{3, 4}, {8, 1}, {2, 9}, {30, 1}}) {
    testing_support::lengths of{.heads = key_heads * group, .key_heads = key_heads, .queries = 1, .keys = 1101};
    of.channels = 32, of.value_channels = 48;
    agree(windowed, of);
    of.batch = 2, of.queries = 2, of.keys = 290;
    agree(rope{} | dot_product{} | causal{}, of);
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

// A hidden key may share its word with one that is seen.
TYPED_TEST(bits_of, hidden_neighbours_do_not_touch_a_row) {
  using S = TypeParam;
  const index_t tokens = 90;
  const auto sentence = dot_product{} | sinks_and_window{.sinks = 3, .window = 7};
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

}  // namespace

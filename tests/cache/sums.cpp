// Sums over keys that are kept, whose summands prepare them alike, have the bits of the call over tensors; so have prepared sums.
#include <cstdint>
#include <vector>

#include <gtest/gtest.h>

#include <longspan/longspan.hpp>

#include "support/devices.hpp"
#include "support/tensors.hpp"
#include "support/words.hpp"

namespace {

using namespace testing_support;
using namespace longspan;

constexpr index_t window = 64;
const auto near = rope{} | dot_product{} | log_n{.trained = 32} | sliding_window{window - 1} | sink{3.0};
const auto sinks = rope{} | dot_product{} | scale_invariant{} | log_n{.trained = 32} | sinks_and_window{.sinks = 4, .window = 0} |
                   at_least{window} | sink{{0.5, -1}};
const auto sum = near + sinks;

struct kept_texts {
  inputs<float> in = random_inputs<float>(
      {.batch = 2, .heads = 2, .key_heads = 1, .queries = 40, .keys = 420, .channels = 12, .value_channels = 10});
  attended<tensor<float>, Eigen::Tensor<float, 3, Eigen::RowMajor>> wanted = forward(sum, in.q, in.k, in.v);

  tensor<float> tokens(const tensor<float>& t, index_t first, index_t last) const {
    return t.slice(Eigen::array<Eigen::Index, 4>{0, 0, first, 0},
                   Eigen::array<Eigen::Index, 4>{t.dimension(0), t.dimension(1), last - first, t.dimension(3)});
  }
};

TEST(sums_of_kept_keys, have_the_bits_of_tensors) {
  const kept_texts all;
  kv_cache<float> cache(sum, {.key_heads = 1, .channels = 12, .value_channels = 10, .texts = 2});
  cache.append(all.tokens(all.in.k, 0, 390), all.tokens(all.in.v, 0, 390));
  const index_t bytes = cache.bytes();
  cache.append(all.tokens(all.in.k, 390, 420), all.tokens(all.in.v, 390, 420));
  EXPECT_EQ(cache.bytes(), bytes);  // what neither the window nor the sinks see any more has room for what came
  const auto made = forward(std_threads{3}, sum, all.in.q, cache);
  EXPECT_TRUE(same_bits(made.output, all.wanted.output) && same_bits(made.log_sum_exp, all.wanted.log_sum_exp));
  tensor<float> last(2, 2, 1, 10);
  forward_into(sum, all.tokens(all.in.q, 39, 40), cache, last);
  EXPECT_TRUE(same_bits(last, all.tokens(all.wanted.output, 39, 40)));
}

TEST(sums_of_kept_keys, are_turned_once) {
  kv_cache<float> cache(sum, {.key_heads = 1, .channels = 12, .value_channels = 10, .texts = 2});
  const auto far = rope{.base = 500} | dot_product{} | causal{} | at_least{window};
  EXPECT_EQ(words_of([&] { forward(near + far, tensor<float>(2, 2, 1, 12), cache); }),
            "keys that are kept are prepared once, and the summands of the sum turn them differently");
  EXPECT_EQ(words_of([&] { forward(far + far, tensor<float>(2, 2, 1, 12), cache); }),
            "kv_cache: the cache was made for other row parts or another score than the mechanism's");
  EXPECT_EQ(words_of([&] { kv_cache<float>(near + far, {.key_heads = 1, .channels = 12, .value_channels = 10}); }),
            "keys that are kept are prepared once, and the summands of the sum turn them differently");
}

TEST(sums_of_kept_keys, lie_in_pages_of_an_engine) {
  const kept_texts all;
  // One page for each text, and the second text's first; keys as they are, and turned once.
  const std::vector<std::int32_t> table{1, 0};
  const std::vector<index_t> lengths{420, 420};
  tensor<float> turned(2, 1, 420, 12), keys(2, 1, 420, 12), values(2, 1, 420, 10);
  prepare_keys(sum, all.in.k, turned);
  const auto swapped = [](const tensor<float>& t) {
    return tensor<float>(t.reverse(Eigen::array<bool, 4>{true, false, false, false}));
  };
  keys = swapped(all.in.k), turned = swapped(turned), values = swapped(all.in.v);
  const auto pool = [](const tensor<float>& t) {
    return view<const float>{t.data(), {2, 1, 420, t.dimension(3)}, {420 * t.dimension(3), 0, t.dimension(3), 1}};
  };
  const paged raw{pool(keys), pool(values), std::span(table), std::span(lengths)};
  const paged once{pool(turned), pool(values), std::span(table), std::span(lengths)};
  EXPECT_TRUE(same_bits(forward(sum, all.in.q, raw).output, all.wanted.output));
  EXPECT_TRUE(same_bits(forward(sum, all.in.q, prepared_keys{once}).output, all.wanted.output));
}

TEST(sums_of_kept_keys, are_prepared_with_their_tables) {
  const kept_texts all;
  const auto ready = prepare(sum, {.heads = 2, .key_heads = 1, .keys = 420, .channels = 12});
  EXPECT_TRUE(same_bits(forward(ready, all.in.q, all.in.k, all.in.v).output, all.wanted.output));
  for (const bool by_tables : {false, true}) {
    const cache_shape shape{.key_heads = 1, .channels = 12, .value_channels = 10, .texts = 2};
    kv_cache<float> cache = by_tables ? kv_cache<float>(ready, shape) : kv_cache<float>(sum, shape);
    cache.append(all.in.k, all.in.v);
    EXPECT_TRUE(same_bits(forward(ready, all.in.q, cache).output, all.wanted.output));
  }
}

// Tables do not tell what they were made from: the sentence that was prepared does.
TEST(sums_of_kept_keys, are_compared_before_they_are_prepared) {
  const kept_texts all;
  const shapes lengths{.heads = 2, .key_heads = 1, .keys = 420, .channels = 12};
  tensor<float> alike(2, 1, 420, 12), turned(2, 1, 420, 12);
  const auto streaming = streaming_llm(4, window);
  prepare_keys(streaming, all.in.k, alike);
  prepare_keys(prepare(streaming, lengths), all.in.k, turned);
  EXPECT_TRUE(same_bits(turned, alike));
  const auto far = rope{.base = 500} | dot_product{} | causal{} | at_least{window};
  const char* const refused = "keys that are kept are prepared once, and the summands of the sum turn them differently";
  EXPECT_EQ(words_of([&] { prepare_keys(near + far, all.in.k, turned); }), refused);
  EXPECT_EQ(words_of([&] { prepare_keys(prepare(near + far, lengths), all.in.k, turned); }), refused);
}

}  // namespace

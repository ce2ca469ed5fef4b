// A boolean mask's axes count the tensors' tokens where texts are packed, and the longest text's where they are padded.
#include <array>
#include <cstring>

#include <gtest/gtest.h>

#include <longspan/longspan.hpp>

#include "support/tensors.hpp"

namespace {

using namespace testing_support;
using namespace longspan;
using booleans = Eigen::Tensor<bool, 4, Eigen::RowMajor>;
using four = Eigen::array<index_t, 4>;

booleans random_mask(index_t batch, index_t heads, index_t queries, index_t keys) {
  booleans seen(batch, heads, queries, keys);
  std::mt19937 generator(3);
  for (Eigen::Index i = 0; i < seen.size(); ++i) seen.data()[i] = generator() % 3 != 0;
  return seen;
}
tensor<float> tokens(const tensor<float>& t, index_t b, index_t first, index_t count) {
  return t.slice(four{b, 0, first, 0}, four{1, t.dimension(1), count, t.dimension(3)});
}

const auto with = [](const auto& seen) { return rope{} | dot_product{} | log_n{.trained = 8} | boolean_mask{seen} | causal{}; };

TEST(boolean_masks, of_packed_texts_count_the_tokens_of_the_tensors) {
  const auto in =
      random_inputs<float>({.heads = 4, .key_heads = 2, .queries = 110, .keys = 300, .channels = 12, .value_channels = 8});
  const std::array<index_t, 5> queries{0, 40, 41, 41, 110}, keys{0, 130, 131, 140, 300};
  for (const index_t heads : {1, 4}) {
    const booleans seen = random_mask(1, heads, 110, 300);
    const auto all = forward(with(seen), in.q, in.k, in.v, placement{.query_starts = queries, .key_starts = keys});
    for (std::size_t t = 0; t < 4; ++t) {
      const index_t q = queries[t], qs = queries[t + 1] - q, k = keys[t], ks = keys[t + 1] - k;
      const booleans own = seen.slice(four{0, 0, q, k}, four{1, heads, qs, ks});
      if (qs == 0) continue;
      const auto alone = forward(with(own), tokens(in.q, 0, q, qs), tokens(in.k, 0, k, ks), tokens(in.v, 0, k, ks));
      EXPECT_TRUE(same_bits(tokens(all.output, 0, q, qs), alone.output)) << t;
    }
  }
}

TEST(boolean_masks, of_padded_texts_are_read_as_far_as_a_text_goes) {
  const auto in = random_inputs<float>(
      {.batch = 4, .heads = 4, .key_heads = 2, .queries = 90, .keys = 200, .channels = 12, .value_channels = 8});
  const std::array<index_t, 4> queries{90, 3, 0, 64}, keys{200, 65, 7, 1};
  for (const index_t batch : {1, 4}) {
    const booleans seen = random_mask(batch, 1, 90, 200);
    const auto all = forward(with(seen), in.q, in.k, in.v, placement{.key_lengths = keys, .query_lengths = queries});
    for (index_t b = 0; b < 4; ++b) {
      const index_t qs = queries[std::size_t(b)], ks = keys[std::size_t(b)];
      if (qs == 0) continue;
      const booleans own = seen.slice(four{batch == 1 ? 0 : b, 0, 0, 0}, four{1, 1, qs, ks});
      const auto alone = forward(with(own), tokens(in.q, b, 0, qs), tokens(in.k, b, 0, ks), tokens(in.v, b, 0, ks));
      EXPECT_TRUE(same_bits(tokens(all.output, b, 0, qs), alone.output)) << b;
    }
  }
}

}  // namespace

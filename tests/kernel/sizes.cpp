// Every size around the tile, block and batch widths, against the definition.
#include <gtest/gtest.h>

#include "support/mechanisms.hpp"
#include "support/naive_backward.hpp"
#include "support/tensors.hpp"

namespace {

using namespace testing_support;
using namespace longspan;
using namespace longspan::detail;

const auto mechanism =
    rms_normalize{} | dot_product{} | log_n{.trained = 64} | scale_invariant{} | sinks_and_window{.sinks = 3, .window = 150};

void expect_agreement(const lengths& of) {
  const auto in = random_inputs<float>(of);
  const auto fused = forward(mechanism, in.q, in.k, in.v);
  const auto exact = reference::attention(mechanism, in.q, in.k, in.v);
  EXPECT_LT(worst_difference(fused.output, exact.output), 2e-5) << of.queries << " queries " << of.keys << " keys " << of.channels
                                                                << " channels " << of.value_channels << " value channels";
}

TEST(sizes, every_number_of_channels) {
  for (index_t d = 1; d <= 2 * 4 * 16 + 1; ++d) expect_agreement({.queries = 7, .keys = 33, .channels = d, .value_channels = 5});
}

TEST(sizes, every_number_of_value_channels) {
  for (index_t d = 1; d <= 2 * 4 * 16 + 1; ++d) expect_agreement({.queries = 7, .keys = 33, .channels = 3, .value_channels = d});
}

TEST(sizes, every_number_of_queries_around_the_blocks) {
  for (index_t n = 1; n <= 2 * tile_shape<float>::query_rows + 2; ++n)
    expect_agreement({.queries = n, .keys = 130, .channels = 4, .value_channels = 4});
}

TEST(sizes, every_number_of_keys_around_the_panels) {
  for (index_t n = 1; n <= 2 * 64 + 2; ++n) expect_agreement({.queries = 3, .keys = n, .channels = 4, .value_channels = 4});
  for (const index_t tile : {256, 512, 1024})
    for (index_t n = tile - 18; n <= tile + 18; ++n)
      expect_agreement({.queries = 3, .keys = n, .channels = 4, .value_channels = 4});
}

TEST(sizes, every_grouping_of_heads) {
  for (const index_t key_heads : {1, 2, 3, 6})
    for (const index_t queries : {1, 5, 50})
      expect_agreement(
          {.batch = 2, .heads = 6, .key_heads = key_heads, .queries = queries, .keys = 60, .channels = 8, .value_channels = 6});
}

// The backward pass, around its steps of query rows and its tiles of keys.
TEST(sizes, gradients_of_every_number_of_tokens_around_the_steps) {
  using shape = tile_shape<float>;
  for (const index_t queries : {index_t(1), shape::backward_query_rows - 1, shape::backward_query_rows + 1})
    for (const index_t keys : {index_t(1), index_t(65), shape::backward_key_rows - 1, shape::backward_key_rows + 1}) {
      const auto in = random_inputs<float>({.heads = 2, .key_heads = 1, .queries = queries, .keys = keys});
      const auto kept = forward(mechanism, in.q, in.k, in.v);
      const auto d_output = normal<float>(1, 2, queries, in.v.dimension(3), 9);
      const auto fused = backward(mechanism, in.q, in.k, in.v, kept, d_output);
      const auto exact = naive_backward(mechanism, inputs<double>{in.q.cast<double>(), in.k.cast<double>(), in.v.cast<double>()},
                                        tensor<double>(d_output.cast<double>()));
      EXPECT_LT(worst_gradient(fused, exact), 1e-4) << queries << " queries, " << keys << " keys";
    }
}

TEST(sizes, positions_beyond_what_float_and_32_bits_hold) {
  const auto in = random_inputs<double>({.queries = 3, .keys = 40, .channels = 8, .value_channels = 8});
  const auto far = rope{} | dot_product{} | alibi{} | scale_invariant{} | sliding_window{20};
  const placement where{
      .first_query = (index_t(1) << 40) + 37, .first_key = index_t(1) << 40, .all_keys = (index_t(1) << 40) + 40};
  const auto there = forward(far, in.q, in.k, in.v, where);
  const auto here = forward(far, in.q, in.k, in.v);
  EXPECT_LT(worst_difference(there.output, here.output),
            1e-3);  // the angles of 2^40 tokens themselves round at 1e-4 radians in double
  EXPECT_LT(worst_difference(there.output, reference::attention(far, in.q, in.k, in.v, where).output), 1e-3);
}

}  // namespace

// Where queries and keys stand: offsets, parts of the keys, rows that see nothing.
#include <limits>

#include <gtest/gtest.h>

#include "support/mechanisms.hpp"
#include "support/tensors.hpp"

namespace {

using namespace testing_support;
using namespace longspan;
using namespace longspan::detail;

constexpr float infinity = std::numeric_limits<float>::infinity();

tensor<float> tokens_of(const tensor<float>& t, index_t from, index_t count) {
  return t.slice(Eigen::array<Eigen::Index, 4>{0, 0, from, 0},
                 Eigen::array<Eigen::Index, 4>{t.dimension(0), t.dimension(1), count, t.dimension(3)});
}

TEST(placement, parts_of_the_keys_merge_into_the_whole) {
  const auto in = random_inputs<float>(
      {.batch = 2, .heads = 2, .key_heads = 1, .queries = 90, .keys = 401, .channels = 12, .value_channels = 10});
  for_each_kind_of_mechanism([&](const char* name, const auto& mechanism) {
    const auto whole = forward(mechanism, in.q, in.k, in.v);
    const auto part = [&](index_t from, index_t to) {
      return forward(mechanism, in.q, tokens_of(in.k, from, to - from), tokens_of(in.v, from, to - from),
                     {.first_query = 311, .first_key = from, .all_keys = 401});
    };
    const auto merged = merge(merge(part(0, 7), part(7, 263)), merge(part(263, 263), part(263, 401)));
    EXPECT_LT(worst_difference(merged.output, whole.output), 1e-5) << name;
    EXPECT_LT(worst_difference(merged.log_sum_exp, whole.log_sum_exp), 1e-5) << name;
  });
}

// Rows whose runs the ends of the keys empty or cut: no run may be summed twice.
TEST(placement, may_empty_runs_of_a_mask) {
  const auto in = random_inputs<float>({.heads = 2, .key_heads = 1, .queries = 150, .keys = 150});
  const auto mechanism = dot_product{} | own_stripes{} | causal{};
  const placement where{.first_query = 50, .first_key = 5, .all_keys = 170};
  const auto fused = forward(mechanism, in.q, in.k, in.v, where);
  const auto exact = reference::attention(mechanism, in.q, in.k, in.v, where);
  EXPECT_LT(worst_difference(fused.output, exact.output), 1e-5);
  EXPECT_LT(worst_difference(fused.log_sum_exp, exact.log_sum_exp), 1e-5);
}

TEST(placement, puts_the_queries_last_unless_told) {
  const auto in = random_inputs<float>({.heads = 2, .key_heads = 2, .queries = 5, .keys = 40});
  const auto mechanism = rope{} | dot_product{} | scale_invariant{} | causal{};
  EXPECT_TRUE(
      same_bits(forward(mechanism, in.q, in.k, in.v).output, forward(mechanism, in.q, in.k, in.v, {.first_query = 35}).output));
}

TEST(placement, more_queries_than_keys_leaves_the_first_rows_empty) {
  const auto in = random_inputs<float>({.heads = 2, .key_heads = 1, .queries = 70, .keys = 30});
  for_each_kind_of_mechanism([&](const char* name, const auto& mechanism) {
    const auto attended = forward(mechanism, in.q, in.k, in.v);
    const auto exact = reference::attention(mechanism, in.q, in.k, in.v);
    EXPECT_LT(worst_difference(attended.output, exact.output), 2e-5) << name;
    EXPECT_LT(worst_difference(attended.log_sum_exp, exact.log_sum_exp), 2e-5) << name;
  });
  const auto attended = forward(dot_product{} | causal{} | sink{2.0}, in.q, in.k, in.v);
  for (index_t i = 0; i < 70; ++i) EXPECT_EQ(attended.log_sum_exp(0, 0, i) == 2, i < 40) << i;
  for (index_t i = 0; i < 40; ++i)
    for (index_t c = 0; c < 8; ++c) EXPECT_EQ(attended.output(0, 1, i, c), 0) << i;
}

TEST(placement, no_keys_at_all_is_a_call_like_any_other) {
  const auto in = random_inputs<float>({.heads = 2, .key_heads = 1, .queries = 3, .keys = 0});
  const auto attended = forward(rope{} | dot_product{} | scale_invariant{} | causal{} | sink{0.0}, in.q, in.k, in.v);
  for (index_t i = 0; i < attended.output.size(); ++i) EXPECT_EQ(attended.output.data()[i], 0);
  for (index_t i = 0; i < attended.log_sum_exp.size(); ++i) EXPECT_EQ(attended.log_sum_exp.data()[i], -infinity);
}

TEST(placement, no_queries_and_no_batch_give_empty_results) {
  const auto mechanism = rope{} | dot_product{} | scale_invariant{} | causal{};
  const auto none = random_inputs<float>({.heads = 2, .key_heads = 1, .queries = 0, .keys = 9});
  EXPECT_EQ(forward(mechanism, none.q, none.k, none.v).output.size(), 0);
  const auto empty = random_inputs<float>({.batch = 0, .queries = 4, .keys = 9});
  EXPECT_EQ(forward(mechanism, empty.q, empty.k, empty.v).log_sum_exp.size(), 0);
}

TEST(placement, refuses_keys_that_do_not_fit_the_whole) {
  const auto in = random_inputs<float>({.queries = 4, .keys = 9});
  const auto mechanism = dot_product{} | causal{};
  EXPECT_THROW(forward(mechanism, in.q, in.k, in.v, {.first_key = 5, .all_keys = 10}), shape_error);
  EXPECT_THROW(forward(mechanism, in.q, in.k, in.v, {.first_key = -1}), shape_error);
}

// A temperature sees n of its row, not of the part it is computed in.
TEST(placement, a_part_counts_the_keys_of_the_whole) {
  const auto in = random_inputs<float>({.queries = 1, .keys = 64});
  const auto part = forward(dot_product{} | log_n{.trained = 16} | causal{}, in.q, tokens_of(in.k, 0, 8), tokens_of(in.v, 0, 8),
                            {.first_query = 63, .first_key = 0, .all_keys = 64});
  const auto same = forward(dot_product{} | temperature{std::log(64.) / std::log(16.)} | everything{}, in.q,
                            tokens_of(in.k, 0, 8), tokens_of(in.v, 0, 8));
  EXPECT_LT(worst_difference(part.output, same.output), 1e-6);
}

}  // namespace

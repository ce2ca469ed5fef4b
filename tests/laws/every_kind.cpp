// One mechanism for each way through the kernel: the definition, the same bits in prefill and decoding, and that what a row does not see
// cannot touch it, while what it does see reaches it as IEEE arithmetic says.
#include <limits>
#include <utility>

#include <gtest/gtest.h>

#include "support/bound_of.hpp"
#include "support/mechanisms.hpp"
#include "support/tensors.hpp"

namespace {

using namespace testing_support;
using namespace longspan;
using namespace longspan::detail;

constexpr float nan = std::numeric_limits<float>::quiet_NaN(), infinity = std::numeric_limits<float>::infinity();

TEST(every_kind_of_mechanism, agrees_with_the_definition) {
  const auto in = random_inputs<float>(
      {.batch = 2, .heads = 2, .key_heads = 1, .queries = 77, .keys = 301, .channels = 12, .value_channels = 10});
  for_each_kind_of_mechanism([&](const char* name, const auto& mechanism) {
    const auto fused = forward(mechanism, in.q, in.k, in.v);
    const auto exact = reference::attention(mechanism, in.q, in.k, in.v);
    EXPECT_LT(worst_difference(fused.output, exact.output), 2e-5) << name;
    EXPECT_LT(worst_difference(fused.log_sum_exp, exact.log_sum_exp), 2e-5) << name;
  });
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

TEST(hidden_keys, may_hold_anything) {
  const index_t tokens = 300;
  for_each_kind_of_mechanism([&](const char* name, const auto& mechanism) {
    const auto in = random_inputs<float>(
        {.heads = 2, .key_heads = 1, .queries = tokens, .keys = tokens, .channels = 12, .value_channels = 10});
    const auto clean = forward(mechanism, in.q, in.k, in.v);
    const auto bound = testing_support::bound_of(mechanism, checked(view_of(in.q), view_of(in.k), view_of(in.v), {}));
    for (const auto& [poisoned, poison] :
         {std::pair<index_t, float>{0, nan}, {41, infinity}, {255, -infinity}, {256, nan}, {299, infinity}}) {
      auto bad = in;
      for (index_t c = 0; c < 12; ++c) bad.k(0, 0, poisoned, c) = poison;
      for (index_t c = 0; c < 10; ++c) bad.v(0, 0, poisoned, c) = poison;
      const auto touched = forward(mechanism, bad.q, bad.k, bad.v);
      for (index_t h = 0; h < 2; ++h)
        for (index_t i = 0; i < tokens; ++i)
          if (!contains(bound.seen->keys_of(h, i), poisoned)) {
            ASSERT_EQ(touched.log_sum_exp(0, h, i), clean.log_sum_exp(0, h, i)) << name << " row " << i << " key " << poisoned;
            for (index_t c = 0; c < 10; ++c)
              ASSERT_EQ(touched.output(0, h, i, c), clean.output(0, h, i, c)) << name << " row " << i;
          }
    }
  });
}

TEST(visible_nan, reaches_every_row_that_sees_it) {
  const index_t tokens = 300;
  for_each_kind_of_mechanism([&](const char* name, const auto& mechanism) {
    auto in = random_inputs<float>(
        {.heads = 2, .key_heads = 1, .queries = tokens, .keys = tokens, .channels = 12, .value_channels = 10});
    const auto bound = testing_support::bound_of(mechanism, checked(view_of(in.q), view_of(in.k), view_of(in.v), {}));
    in.k(0, 0, 17, 3) = nan;
    in.v(0, 0, 260, 4) = nan;
    const auto attended = forward(mechanism, in.q, in.k, in.v);
    for (index_t h = 0; h < 2; ++h)
      for (index_t i = 0; i < tokens; ++i) {
        const auto seen = bound.seen->keys_of(h, i);
        EXPECT_EQ(std::isnan(attended.output(0, h, i, 4)), contains(seen, 17) || contains(seen, 260)) << name << " row " << i;
        EXPECT_EQ(std::isnan(attended.output(0, h, i, 5)), contains(seen, 17)) << name << " row " << i;
        EXPECT_EQ(std::isnan(attended.log_sum_exp(0, h, i)), contains(seen, 17)) << name << " row " << i;
      }
  });
}

// Scores chosen one by one: the query is 1 and the keys are the scores.
attended<tensor<float>, Eigen::Tensor<float, 3, Eigen::RowMajor>> attend_to(const std::vector<float>& scores,
                                                                            const std::vector<float>& values) {
  tensor<float> q(1, 1, 1, 1), k(1, 1, index_t(scores.size()), 1), v(1, 1, index_t(values.size()), 1);
  q.setConstant(1);
  std::copy(scores.begin(), scores.end(), k.data());
  std::copy(values.begin(), values.end(), v.data());
  return forward(dot_product{.scale = 1} | everything{}, q, k, v);
}

TEST(a_logit_of_minus_infinity, is_a_weight_of_exactly_zero) {
  const auto some = attend_to({-infinity, 1, -infinity, 1}, {100, 1, 100, 3});
  EXPECT_EQ(some.output(0), 2);
  EXPECT_FLOAT_EQ(some.log_sum_exp(0), 1 + std::log(2.f));
}

TEST(a_logit_of_minus_infinity, everywhere_leaves_nothing) {
  const auto none = attend_to({-infinity, -infinity}, {1, 2});
  EXPECT_EQ(none.output(0), 0);
  EXPECT_EQ(none.log_sum_exp(0), -infinity);
  EXPECT_TRUE(std::isnan(attend_to({-infinity, nan}, {1, 2}).output(0)));
  EXPECT_TRUE(std::isnan(attend_to({nan, -infinity}, {1, 2}).output(0)));
}

TEST(a_logit_of_plus_infinity, is_infinity_minus_infinity) {
  EXPECT_TRUE(std::isnan(attend_to({0, infinity, 1}, {1, 2, 3}).output(0)));
}

TEST(an_infinite_value, reaches_the_output_of_the_rows_that_see_it) {
  EXPECT_EQ(attend_to({0, 1}, {infinity, 3}).output(0), infinity);
}

TEST(large_logits, do_not_overflow) {
  const auto large = attend_to({3e37f, 3e37f, -3e37f}, {1, 3, 5});
  EXPECT_EQ(large.output(0), 2);
  const auto close = attend_to({3.1e9f, 3.1e9f}, {1, 3});
  EXPECT_EQ(close.output(0), 2);
  EXPECT_FLOAT_EQ(close.log_sum_exp(0), 3.1e9f);
}

}  // namespace

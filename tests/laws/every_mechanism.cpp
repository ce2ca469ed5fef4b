// Every mechanism agrees with the double reference, on uneven sizes with grouped heads.
#include <gtest/gtest.h>

#include <array>
#include <limits>
#include <string>

#include "support/hard_inputs.hpp"
#include "support/mechanisms.hpp"
#include "support/naive.hpp"
#include "support/packed.hpp"
#include "support/tensors.hpp"

namespace {

using namespace testing_support;
using longspan::index_t;

template <class T>
class every_mechanism_in : public testing::Test {};
using precisions = testing::Types<float, double>;
TYPED_TEST_SUITE(every_mechanism_in, precisions);

constexpr lengths uneven{.batch = 2, .heads = 2, .key_heads = 1, .queries = 77, .keys = 301, .channels = 20, .value_channels = 9};

TYPED_TEST(every_mechanism_in, agrees_with_the_definition) {
  const auto in = random_inputs<TypeParam>(uneven);
  for_each_mechanism([&](const char* name, const auto& mechanism) {
    const auto fused = longspan::forward(mechanism, in.q, in.k, in.v);
    const auto exact = longspan::reference::attention(mechanism, in.q, in.k, in.v);
    const double allowed = std::is_same_v<TypeParam, double> ? 1e-12 : 2e-5;
    EXPECT_LT(worst_difference(fused.output, exact.output), allowed) << name;
    EXPECT_LT(worst_difference(fused.log_sum_exp, exact.log_sum_exp), allowed) << name;
  });
}

// Texts of which one has no keys, one no queries and one more queries than keys, one behind the other or side by side.
TEST(every_mechanism, agrees_with_the_definition_of_texts) {
  constexpr std::array<index_t, 6> queries{333, 1, 40, 0, 7, 60}, keys{333, 290, 0, 20, 301, 45};
  auto padded = random_inputs<float>(
      {.batch = 6, .heads = 2, .key_heads = 1, .queries = 340, .keys = 350, .channels = 12, .value_channels = 10});
  const inputs<float> in_a_row{packed(padded.q, queries), packed(padded.k, keys), packed(padded.v, keys)};
  poison_padding(padded.q, queries), poison_padding(padded.k, keys), poison_padding(padded.v, keys);
  const auto query_starts = starts_of(queries), key_starts = starts_of(keys);
  for_each_mechanism([&](const char* name, const auto& mechanism) {
    const auto expect_the_definition = [&](const inputs<float>& in, const longspan::placement& where) {
      const auto fused = longspan::forward(mechanism, in.q, in.k, in.v, where);
      const auto exact = longspan::reference::attention(mechanism, in.q, in.k, in.v, where);
      EXPECT_LT(worst_difference(fused.output, exact.output), 2e-5) << name;
      EXPECT_LT(worst_difference(fused.log_sum_exp, exact.log_sum_exp), 2e-5) << name;
    };
    expect_the_definition(in_a_row, {.query_starts = query_starts, .key_starts = key_starts});
    expect_the_definition(padded, {.key_lengths = keys, .query_lengths = queries});
  });
}

// The error rule: at most twice the error of the naive method in the same precision, of all numbers together; the worst of them, which is
// luck on both sides (a factor of 3 either way over ten seeds), at most four times. A few units in the last place are allowed to both.
// (The naive method in double is the reference, so the rule speaks of float.)
void expect_the_error_rule(const std::string& what, const inputs<float>& in) {
  const double lucky = 4 * double(std::numeric_limits<float>::epsilon());
  for_each_kind_of_mechanism([&](const char* name, const auto& mechanism) {
    const auto exact = longspan::reference::attention(mechanism, in.q, in.k, in.v).output;
    const auto fused = longspan::forward(mechanism, in.q, in.k, in.v).output;
    const auto naive = naive_attention(mechanism, in);
    EXPECT_LE(root_mean_square_difference(fused, exact), 2 * root_mean_square_difference(naive, exact) + lucky)
        << what << ", " << name;
    EXPECT_LE(worst_difference(fused, exact), 4 * worst_difference(naive, exact) + lucky) << what << ", " << name;
  });
}

TEST(every_mechanism, errs_at_most_twice_as_much_as_the_naive_method) {
  expect_the_error_rule("normal rows", random_inputs<float>(uneven, 7));
}

// Over several tiles of keys, in a prefill and in decoding.
TEST(every_mechanism, errs_at_most_twice_as_much_where_the_softmax_is_sharp) {
  lengths prefill = uneven, decoding = uneven;
  prefill.keys = decoding.keys = 1101;
  prefill.batch = 1, decoding.batch = 20, decoding.queries = 1;
  for (const lengths& of : {prefill, decoding}) for_each_hard_input<float>(of, 7, expect_the_error_rule);
}

TEST(every_mechanism, agrees_in_double_where_the_softmax_is_sharp) {
  for_each_hard_input<double>(uneven, 7, [](const std::string& what, const auto& in) {
    for_each_kind_of_mechanism([&](const char* name, const auto& mechanism) {
      const auto fused = longspan::forward(mechanism, in.q, in.k, in.v);
      const auto exact = longspan::reference::attention(mechanism, in.q, in.k, in.v);
      EXPECT_LT(worst_difference(fused.output, exact.output), 1e-12) << what << ", " << name;
      EXPECT_LT(worst_difference(fused.log_sum_exp, exact.log_sum_exp), 1e-12) << what << ", " << name;
    });
  });
}

}  // namespace

#include <longspan/softmax/skip_negligible.hpp>

#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <limits>
#include <vector>

#include <longspan/longspan.hpp>

#include "support/devices.hpp"
#include "support/kept_pairs.hpp"
#include "support/loss.hpp"
#include "support/packed.hpp"
#include "support/tensors.hpp"

namespace {

using namespace longspan;
using namespace longspan::detail;
using namespace testing_support;

const lengths long_rows{.heads = 2, .key_heads = 1, .queries = 700, .keys = 700, .channels = 12, .value_channels = 9};
const alibi steep{.slopes = per_head{{0.3, 0.15}}};

// Sums of the logs of gates: 0.2 a token, with gates that forget nothing among them.
template <class T>
tensor<T> sums_of_gates(index_t batch, index_t heads, index_t tokens) {
  const auto numbers = normal<double>(batch, heads, tokens, 1, 5);
  tensor<T> c(batch, heads, tokens, 1);
  for (index_t b = 0; b < batch; ++b)
    for (index_t h = 0; h < heads; ++h) {
      double sum = 0;
      for (index_t j = 0; j < tokens; ++j) c(b, h, j, 0) = T(sum -= 0.5 * std::max(numbers(b, h, j, 0), 0.0));
    }
  return c;
}
template <class T>
view<const T> by_token_of(const tensor<T>& c) {
  return {c.data(), {c.dimension(0), c.dimension(1), c.dimension(2), 1}, {c.dimension(1) * c.dimension(2), c.dimension(2), 1, 1}};
}

tensor<float> some(const tensor<float>& t, index_t from, index_t count) {
  return t.slice(Eigen::array<Eigen::Index, 4>{0, 0, from, 0},
                 Eigen::array<Eigen::Index, 4>{t.dimension(0), t.dimension(1), count, t.dimension(3)});
}

// The same to rounding, with fewer pairs. Values are below 5, sums of weights are exact to 2^-24.
template <class Whole, class T>
void expect_the_same(const char* name, const Whole& whole, const inputs<T>& in, double most_pairs, const placement& where = {}) {
  constexpr double rounding = double(std::numeric_limits<T>::epsilon());
  const auto skipping = whole | skip_negligible{};
  const auto wanted = forward(whole, in.q, in.k, in.v, where), got = forward(skipping, in.q, in.k, in.v, where);
  EXPECT_LT(worst_difference(got.output, wanted.output), 4 * rounding) << name;
  EXPECT_LT(worst_difference(got.log_sum_exp, wanted.log_sum_exp), 8 * rounding) << name;
  const double share = kept_pairs(skipping, in, where).share();
  EXPECT_LT(share, most_pairs) << name;
  EXPECT_GT(share, 0.05) << name;
  EXPECT_TRUE(share < 1 || same_bits(got.output, wanted.output)) << name;
}

TEST(skip_negligible, changes_no_result_for_any_transform_with_a_bound) {
  const auto in = random_inputs<float>(long_rows);
  const auto c = sums_of_gates<float>(1, 2, 700);
  const auto forgets = forgetting{by_token_of(c)};
  const auto falls = by_distance{[](index_t t) { return -0.25 * double(std::abs(t)); }};
  const auto falls_scaled = by_distance{[](index_t t) { return affine{1 / (1 + 0.01 * double(t)), -0.25 * double(t)}; }};
  expect_the_same("alibi", dot_product{} | steep | causal{}, in, 0.7);
  expect_the_same("alibi, both ways", dot_product{} | steep | everything{}, in, 0.7);
  expect_the_same("forgetting", rope{} | dot_product{} | forgets | causal{}, in, 0.7);
  expect_the_same("by_distance", dot_product{} | falls | causal{}, in, 0.7);
  expect_the_same("by_distance, scaled", dot_product{} | falls_scaled | sinks_and_window{.sinks = 4, .window = 600}, in, 0.7);
  expect_the_same("temperatures", cosine{} | cos_scale{16} | log_n{.trained = 64} | steep | causal{}, in, 0.8);
  expect_the_same("scale_invariant", dot_product{} | temperature{-0.5} | scale_invariant{} | causal{} | causal{}, in, 1.1);
  expect_the_same("softcap", dot_product{} | temperature{4} | softcap{5} | forgets | causal{}, in, 0.7);
  expect_the_same("scores alone", dot_product{} | causal{}, in, 1.1);
}

TEST(skip_negligible, serves_double_and_narrow_storage) {
  const auto exact = random_inputs<double>(long_rows);
  expect_the_same("double", dot_product{} | steep | causal{}, exact, 0.9);
  const auto half = random_inputs<Eigen::half>(long_rows);
  const auto bfloat = random_inputs<Eigen::bfloat16>(long_rows);
  const auto whole = dot_product{} | steep | causal{};
  const auto skipping = whole | skip_negligible{};
  EXPECT_LT(
      worst_difference(forward(skipping, half.q, half.k, half.v).log_sum_exp, forward(whole, half.q, half.k, half.v).log_sum_exp),
      1e-6);
  EXPECT_LT(worst_difference(forward(skipping, bfloat.q, bfloat.k, bfloat.v).log_sum_exp,
                             forward(whole, bfloat.q, bfloat.k, bfloat.v).log_sum_exp),
            1e-6);
  EXPECT_LT(kept_pairs(skipping, bfloat).share(), 0.7);
}

// n, dropout, the sink and the reference are as without it.
TEST(skip_negligible, leaves_the_rest_of_the_sentence_alone) {
  const auto in = random_inputs<float>(long_rows);
  const auto whole = dot_product{} | log_n{.trained = 64} | steep | causal{};
  const auto plain = whole | dropout{0.2, 3} | sink{0.5};
  const auto skipping = whole | skip_negligible{} | dropout{0.2, 3} | sink{0.5};
  const auto wanted = forward(plain, in.q, in.k, in.v), got = forward(skipping, in.q, in.k, in.v);
  EXPECT_LT(worst_difference(got.output, wanted.output), 1e-6);
  const auto exact = reference::attention(plain, in.q, in.k, in.v), same = reference::attention(skipping, in.q, in.k, in.v);
  EXPECT_TRUE(same_bits(exact.output, same.output) && same_bits(exact.log_sum_exp, same.log_sum_exp));
  EXPECT_LT(worst_difference(got.output, exact.output), 1e-5);
}

const auto sentence = rope{} | dot_product{} | steep | causal{} | skip_negligible{} | sink{0.3};

TEST(skip_negligible, has_the_same_bits_in_prefill_and_decoding_for_any_device) {
  const auto in = random_inputs<float>(long_rows);
  const auto alone = forward(sentence, in.q, in.k, in.v);
  for (const index_t threads : {2, 5}) {
    EXPECT_TRUE(same_bits(alone.output, forward(std_threads{threads}, sentence, in.q, in.k, in.v).output));
    EXPECT_TRUE(same_bits(alone.output, forward(backwards{threads}, sentence, in.q, in.k, in.v).output));
  }
  for (const index_t n : {1, 2, 64, 65, 257, 512, 513, 640, 699, 700}) {
    const auto row = some(alone.output, n - 1, 1);
    EXPECT_TRUE(same_bits(forward(sentence, some(in.q, n - 1, 1), some(in.k, 0, n), some(in.v, 0, n)).output, row)) << n;
    EXPECT_TRUE(same_bits(forward(sentence, some(in.q, n - 1, 1), in.k, in.v, {.first_query = n - 1}).output, row)) << n;
  }
}

// Texts padded and packed have the bits that they have alone, though panels of packed texts begin anywhere in c.
TEST(skip_negligible, has_the_same_bits_for_a_text_alone_and_among_others) {
  const std::array<index_t, 3> own{500, 1, 333};
  const std::array<index_t, 4> starts{0, 500, 501, 834};
  const auto in = random_inputs<float>({.batch = 3, .heads = 2, .key_heads = 1, .queries = 500, .keys = 500, .channels = 12});
  const auto c = sums_of_gates<float>(3, 2, 500);
  const auto with = [](const tensor<float>& each) {
    return dot_product{} | forgetting{by_token_of(each)} | causal{} | skip_negligible{};
  };
  const auto packed = [&](const tensor<float>& t) { return testing_support::packed(t, own); };
  const auto text = [&](const tensor<float>& t, index_t b) {
    return tensor<float>(t.slice(Eigen::array<Eigen::Index, 4>{b, 0, 0, 0},
                                 Eigen::array<Eigen::Index, 4>{1, t.dimension(1), own[std::size_t(b)], t.dimension(3)}));
  };
  const inputs<float> in_a_row{packed(in.q), packed(in.k), packed(in.v)};
  const auto c_in_a_row = packed(c);
  const placement as_padded{.key_lengths = own, .query_lengths = own}, as_packed{.query_starts = starts, .key_starts = starts};
  const auto padded = forward(with(c), in.q, in.k, in.v, as_padded);
  const auto one = forward(with(c_in_a_row), in_a_row.q, in_a_row.k, in_a_row.v, as_packed);
  EXPECT_TRUE(same_bits(packed(padded.output), one.output));
  EXPECT_LT(kept_pairs(with(c_in_a_row), in_a_row, as_packed).share(), 0.8);
  for (index_t b = 0; b < 3; ++b) {
    const auto own_c = text(c, b);
    const auto alone = forward(with(own_c), text(in.q, b), text(in.k, b), text(in.v, b));
    EXPECT_TRUE(same_bits(alone.output, text(padded.output, b))) << b;
  }
}

// What a row sees reaches it, however far it is; what it does not see has no say in what it skips.
TEST(skip_negligible, skips_no_nan_and_no_infinity) {
  const auto in = random_inputs<float>(long_rows);
  const auto clean = forward(sentence, in.q, in.k, in.v).output;
  const float nan = std::numeric_limits<float>::quiet_NaN(), infinity = std::numeric_limits<float>::infinity();
  for (const index_t at : {0, 70, 300})
    for (const float bad : {nan, infinity}) {
      auto with_key = in, with_value = in, with_query = in;
      with_key.k(0, 0, at, 3) = bad, with_value.v(0, 0, at, 3) = bad, with_query.q(0, 1, at, 3) = bad;
      const auto key = forward(sentence, with_key.q, with_key.k, with_key.v).output;
      const auto value = forward(sentence, with_value.q, with_value.k, with_value.v).output;
      const auto query = forward(sentence, with_query.q, with_query.k, with_query.v).output;
      for (index_t i = 0; i < 700; ++i) {
        EXPECT_EQ(std::isfinite(value(0, 0, i, 3)), i < at) << i;
        EXPECT_EQ(std::isfinite(query(0, 1, i, 3)), i != at) << i;
        for (index_t d = 0; d < 9; ++d) {
          ASSERT_TRUE(i >= at || key(0, 0, i, d) == clean(0, 0, i, d)) << i;
          ASSERT_TRUE(i >= at || value(0, 0, i, d) == clean(0, 0, i, d)) << i;
          ASSERT_TRUE(i < at || std::isinf(bad) || std::isnan(key(0, 0, i, d))) << i;
        }
      }
    }
}

// A key of an enormous norm that a mask hides does not keep its panel.
TEST(skip_negligible, does_not_look_at_hidden_keys) {
  struct all_but_key_100 {
    std::array<interval, 2> operator()(const query_row& row) const {
      return {interval{0, std::min<index_t>(100, row.position + 1)}, {101, row.position + 1}};
    }
  };
  const auto each = dot_product{} | steep | all_but_key_100{} | skip_negligible{};
  auto in = random_inputs<float>(long_rows);
  const auto clean = forward(each, in.q, in.k, in.v);
  for (const float hidden : {1e20f, std::numeric_limits<float>::quiet_NaN()}) {
    for (index_t d = 0; d < 12; ++d) in.k(0, 0, 100, d) = hidden;
    const auto same = forward(each, in.q, in.k, in.v);
    for (index_t h = 0; h < 2; ++h)
      for (index_t i = 0; i < 700; ++i)
        for (index_t d = 0; d < 9; ++d) ASSERT_EQ(same.output(0, h, i, d), clean.output(0, h, i, d)) << i;
  }
  EXPECT_LT(kept_pairs(each, in).share(), 0.7);
}

// A distant key whose norm makes up for its distance is kept, and what lies between it and the row.
TEST(skip_negligible, keeps_a_distant_key_that_matters) {
  auto in = random_inputs<float>(long_rows);
  for (index_t i = 0; i < 700; ++i)
    for (index_t h = 0; h < 2; ++h) in.q(0, h, i, 0) = 10;
  const auto whole = dot_product{} | steep | causal{};
  const auto without = forward(whole, in.q, in.k, in.v).output;
  in.k(0, 0, 300, 0) = 50;
  EXPECT_GT(worst_difference(some(forward(whole, in.q, in.k, in.v).output, 690, 10), some(without, 690, 10)), 0.5);
  expect_the_same("a large key", whole, in, 0.95);
}

TEST(skip_negligible, has_the_gradients_of_the_whole) {
  auto in = random_inputs<float>(long_rows);
  const auto c = sums_of_gates<float>(1, 2, 700);
  tensor<float> d_c(c), d_c_skipping(c);
  const auto d_output = normal<float>(1, 2, 700, 9, 8);
  const auto sentence_with = [&](tensor<float>& gradient) {
    return rope{} | dot_product{} | temperature{1.1} | alibi{.slopes = per_head{{0.05, 0.02}}} |
           forgetting{by_token_of(c), view<float>{gradient.data(), {1, 2, 700, 1}, {1400, 700, 1, 1}}} | causal{};
  };
  const auto whole = sentence_with(d_c);
  const auto skipping = sentence_with(d_c_skipping) | skip_negligible{};
  const auto kept = forward(whole, in.q, in.k, in.v);
  const auto wanted = backward_with_parameters(whole, in.q, in.k, in.v, kept, d_output);
  const auto got = backward_with_parameters(skipping, in.q, in.k, in.v, kept, d_output);
  EXPECT_LT(kept_pairs(skipping, in).share(), 0.7);
  EXPECT_LT(worst_difference(got.d_query, wanted.d_query), 2e-6);
  EXPECT_LT(worst_difference(got.d_key, wanted.d_key), 2e-6);
  EXPECT_LT(worst_difference(got.d_value, wanted.d_value), 2e-6);
  EXPECT_LT(worst_difference(d_c_skipping, d_c), 2e-5);
  std::vector<double> learned_of_whole, learned_of_skipping;
  auto whole_numbers = wanted.d_mechanism;
  auto skipping_numbers = got.d_mechanism;
  for_each_learned(whole_numbers, [&](double number) { learned_of_whole.push_back(number); });
  for_each_learned(skipping_numbers, [&](double number) { learned_of_skipping.push_back(number); });
  ASSERT_EQ(learned_of_whole.size(), learned_of_skipping.size());
  for (std::size_t n = 0; n < learned_of_whole.size(); ++n)
    EXPECT_NEAR(learned_of_skipping[n], learned_of_whole[n], 1e-5 * (1 + std::abs(learned_of_whole[n])));
  const auto again = backward_with_parameters(std_threads{3}, skipping, in.q, in.k, in.v, kept, d_output);
  EXPECT_TRUE(same_bits(got.d_query, again.d_query) && same_bits(got.d_key, again.d_key) &&
              same_bits(got.d_value, again.d_value));

  // A gradient that is not finite reaches every key that its row sees.
  auto bad = d_output;
  bad(0, 1, 650, 2) = std::numeric_limits<float>::quiet_NaN();
  const auto touched = backward(skipping, in.q, in.k, in.v, kept, bad);
  for (index_t j = 0; j < 700; ++j) EXPECT_EQ(std::isnan(touched.d_value(0, 0, j, 2)), j <= 650) << j;
}

// Parts of the keys, each of which skips by itself, merge to the whole.
TEST(skip_negligible, merges) {
  const auto in = random_inputs<float>(long_rows);
  const auto whole = forward(rope{} | dot_product{} | steep | causal{} | sink{0.3}, in.q, in.k, in.v);
  const auto part = [&](index_t first, index_t count) {
    return forward(sentence, in.q, some(in.k, first, count), some(in.v, first, count),
                   {.first_query = 0, .first_key = first, .all_keys = 700});
  };
  const auto merged = merge(merge(part(0, 77), part(77, 423)), part(500, 200));
  EXPECT_LT(worst_difference(merged.output, whole.output), 2e-6);
  EXPECT_LT(worst_difference(merged.log_sum_exp, whole.log_sum_exp), 2e-6);
}

TEST(skip_negligible, takes_no_tokens_and_no_texts) {
  const auto none = random_inputs<float>({.batch = 0, .heads = 2, .key_heads = 1, .queries = 5, .keys = 5, .channels = 12});
  EXPECT_EQ(forward(sentence, none.q, none.k, none.v).output.size(), 0);
  const auto no_keys = random_inputs<float>({.heads = 2, .key_heads = 1, .queries = 5, .keys = 0, .channels = 12});
  const auto got = forward(sentence, no_keys.q, no_keys.k, no_keys.v);
  for (Eigen::Index i = 0; i < got.output.size(); ++i) EXPECT_EQ(got.output.data()[i], 0);
}

}  // namespace

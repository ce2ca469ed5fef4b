#include <longspan/softmax/dropout.hpp>

#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <functional>
#include <limits>
#include <vector>

#include <longspan/longspan.hpp>

#include "support/devices.hpp"
#include "support/loss.hpp"
#include "support/packed.hpp"
#include "support/tensors.hpp"
#include "support/words.hpp"

namespace {

using namespace testing_support;
using namespace longspan;
using namespace longspan::detail;

TEST(dropout, names_what_it_refuses) {
  const auto words = [](double share) { return words_of([&] { dropout{.share = share}.check({}); }); };
  EXPECT_EQ(words(0), "");
  EXPECT_EQ(words(0.999), "");
  EXPECT_EQ(words(1), "dropout: share must be at least 0 and below 1, not 1");
  EXPECT_EQ(words(-0.1), "dropout: share must be at least 0 and below 1, not -0.1");
  EXPECT_EQ(words(NAN), "dropout: share must be at least 0 and below 1, not nan");
  const auto in = random_inputs<float>({.queries = 3, .keys = 3});
  EXPECT_EQ(words_of([&] { forward(dot_product{} | causal{} | dropout{.share = 2}, in.q, in.k, in.v); }),
            "dropout: share must be at least 0 and below 1, not 2");
}

// Whether a weight of 1 is dropped.
bool drops(const dropout& part, index_t text, index_t head, index_t position, index_t key) {
  const double weight =
      part.of_weights({.position = position, .head = head, .text = text})(1.0, keys_under<double>{key, position});
  EXPECT_TRUE(weight == 0 || std::abs(weight * (1 - part.share) - 1) < 1e-9) << weight;
  return weight == 0;
}

TEST(dropout, drops_its_share_and_makes_up_for_it) {
  for (const double share : {0.01, 0.1, 0.5, 0.9}) {
    constexpr index_t rows = 300, keys = 1000;
    index_t dropped = 0;
    for (index_t i = 0; i < rows; ++i)
      for (index_t j = 0; j < keys; ++j) dropped += drops({share, 3}, 0, 0, i, j);
    const double trials = double(rows * keys), sigma = std::sqrt(trials * share * (1 - share));
    EXPECT_LT(std::abs(double(dropped) - trials * share), 4 * sigma) << share;
  }
}

TEST(dropout, of_extreme_shares_stays_in_range) {
  const query_row row{.position = 5};
  EXPECT_EQ(dropout{.share = 1e-300}.of_weights(row)(0.25f, keys_under<float>{3, 5}), 0.25f);
  const double almost_one = std::nextafter(1, 0);
  index_t kept = 0;
  for (index_t j = 0; j < 100000; ++j) kept += dropout{.share = almost_one}.of_weights(row)(1.0, keys_under<double>{j, 5}) != 0;
  EXPECT_EQ(kept, 0);
}

// Two draws that differ in one thing are independent: both drop in share^2 of the cases, within four standard deviations.
TEST(dropout, of_neighbours_is_independent) {
  struct draw {
    std::uint64_t seed = 0;
    index_t text = 0, head = 0, position = 0, key = 0;
  };
  struct step {
    const char* what;
    std::function<void(draw&)> take;
  };
  const std::array steps{step{"key", [](draw& d) { ++d.key; }},
                         step{"query", [](draw& d) { ++d.position; }},
                         step{"head", [](draw& d) { ++d.head; }},
                         step{"text", [](draw& d) { ++d.text; }},
                         step{"seed", [](draw& d) { ++d.seed; }},
                         step{"16 keys", [](draw& d) { d.key += 16; }},
                         step{"diagonal", [](draw& d) { ++d.key, ++d.position; }},
                         step{"seed and text", [](draw& d) { --d.seed, ++d.text; }},
                         step{"head and query", [](draw& d) { ++d.head, --d.position; }}};
  const auto dropped = [](double share, const draw& d) { return drops({share, d.seed}, d.text, d.head, d.position, d.key); };
  for (const double share : {0.1, 0.5})
    for (const step& each : steps) {
      double both = 0, trials = 0;
      for (std::uint64_t seed = 1; seed < 4; ++seed)
        for (index_t text = 0; text < 3; ++text)
          for (index_t head = 0; head < 4; ++head)
            for (index_t position = 1; position < 40; ++position)
              for (index_t key = 0; key < 40; ++key) {
                const draw here{seed, text, head, position, key};
                draw there = here;
                each.take(there);
                both += dropped(share, here) && dropped(share, there), ++trials;
              }
      const double p = share * share;
      EXPECT_LT(std::abs(both - trials * p), 4 * std::sqrt(trials * p * (1 - p))) << each.what << ", share " << share;
    }
}

// Values that are unit vectors make the output of a row its weights.
template <class T>
inputs<T> with_unit_values(const lengths& of) {
  auto made = random_inputs<T>(of);
  made.v.setZero();
  for (index_t b = 0; b < of.batch; ++b)
    for (index_t h = 0; h < of.key_heads; ++h)
      for (index_t j = 0; j < of.keys; ++j) made.v(b, h, j, j) = T(1);
  return made;
}

template <class T>
class dropout_in : public testing::Test {};
using precisions = testing::Types<float, double>;
TYPED_TEST_SUITE(dropout_in, precisions);

// Over two tiles of keys, in a prefill and in decoding: the kernel drops what the reference drops, divides the rest, and leaves the
// log-sum-exp alone.
TYPED_TEST(dropout_in, drops_the_same_weights_in_the_kernel_and_by_definition) {
  using T = TypeParam;
  constexpr double allowed = std::is_same_v<T, float> ? 1e-6 : 1e-14;
  const dropout part{.share = 0.25, .seed = 11};
  for (const index_t queries : {1, 40}) {
    const auto in = with_unit_values<T>(
        {.batch = 2, .heads = 4, .key_heads = 2, .queries = queries, .keys = 300, .channels = 12, .value_channels = 300});
    const auto whole = forward(dot_product{} | causal{}, in.q, in.k, in.v);
    const auto got = forward(dot_product{} | causal{} | part, in.q, in.k, in.v);
    const auto exact = reference::attention(dot_product{} | causal{} | part, in.q, in.k, in.v);
    EXPECT_TRUE(same_bits(got.log_sum_exp, whole.log_sum_exp));
    EXPECT_LT(worst_difference(got.output, exact.output), allowed);
    for (index_t b = 0; b < 2; ++b)
      for (index_t h = 0; h < 4; ++h)
        for (index_t i = 0; i < queries; ++i)
          for (index_t j = 0; j < 300; ++j) {
            const index_t position = 300 - queries + i;
            const bool seen = j <= position, kept = seen && !drops(part, b, h, position, j);
            ASSERT_EQ(got.output(b, h, i, j) != 0, kept) << b << h << i << j;
            ASSERT_EQ(exact.output(b, h, i, j) != 0, kept);
            const T weight = whole.output(b, h, i, j);
            ASSERT_NEAR(got.output(b, h, i, j), kept ? weight * T(4) / 3 : T(0), 1e-6 * weight);
          }
  }
}

TYPED_TEST(dropout_in, of_share_0_changes_no_bit) {
  using T = TypeParam;
  for (const index_t queries : {1, 90}) {
    const auto in = random_inputs<T>(
        {.batch = 2, .heads = 2, .key_heads = 1, .queries = queries, .keys = 300, .channels = 20, .value_channels = 9});
    const auto d_output = normal<T>(2, 2, queries, 9, 4);
    const auto plain = dot_product{} | causal{} | sink{};
    const auto with = dot_product{} | causal{} | dropout{.share = 0, .seed = 9} | sink{};
    const auto kept = forward(plain, in.q, in.k, in.v), same = forward(with, in.q, in.k, in.v);
    EXPECT_TRUE(same_bits(kept.output, same.output) && same_bits(kept.log_sum_exp, same.log_sum_exp));
    const auto a = backward(plain, in.q, in.k, in.v, kept, d_output), b = backward(with, in.q, in.k, in.v, same, d_output);
    EXPECT_TRUE(same_bits(a.d_query, b.d_query) && same_bits(a.d_key, b.d_key) && same_bits(a.d_value, b.d_value));
  }
}

const auto sentence = rope{} | dot_product{} | temperature{1.2} | alibi{} | sinks_and_window{.sinks = 5, .window = 200} |
                      dropout{0.2, 21} | sink{0.3};

// Any number of threads, forward and backward; a row alone, as in decoding; a text alone, as the first of a batch.
TYPED_TEST(dropout_in, has_the_same_bits_however_it_is_computed) {
  using T = TypeParam;
  const auto in = random_inputs<T>(
      {.batch = 2, .heads = 4, .key_heads = 2, .queries = 333, .keys = 333, .channels = 24, .value_channels = 20});
  const auto d_output = normal<T>(2, 4, 333, 20, 4);
  const auto alone = forward(sentence, in.q, in.k, in.v);
  const auto back = backward(sentence, in.q, in.k, in.v, alone, d_output);
  for (const index_t threads : {2, 5}) {
    const auto together = forward(std_threads{threads}, sentence, in.q, in.k, in.v);
    EXPECT_TRUE(same_bits(alone.output, together.output));
    const auto again = backward(std_threads{threads}, sentence, in.q, in.k, in.v, alone, d_output);
    EXPECT_TRUE(same_bits(back.d_query, again.d_query) && same_bits(back.d_key, again.d_key) &&
                same_bits(back.d_value, again.d_value));
  }
  const auto some = [](const tensor<T>& t, index_t texts, index_t from, index_t count) {
    return tensor<T>(t.slice(Eigen::array<Eigen::Index, 4>{0, 0, from, 0},
                             Eigen::array<Eigen::Index, 4>{texts, t.dimension(1), count, t.dimension(3)}));
  };
  for (const index_t n : {1, 2, 17, 256, 257, 333}) {
    const auto decoded = forward(sentence, some(in.q, 2, n - 1, 1), some(in.k, 2, 0, n), some(in.v, 2, 0, n));
    EXPECT_TRUE(same_bits(decoded.output, some(alone.output, 2, n - 1, 1))) << n;
  }
  const auto first = forward(sentence, some(in.q, 1, 0, 333), some(in.k, 1, 0, 333), some(in.v, 1, 0, 333));
  EXPECT_TRUE(same_bits(first.output, some(alone.output, 1, 0, 333)));
}

// Dropping is not hiding.
TEST(dropout, of_a_key_with_nan_leaves_the_nan) {
  auto in = random_inputs<float>({.queries = 90, .keys = 90});
  in.v(0, 0, 40, 3) = NAN;
  const auto got = forward(dot_product{} | causal{} | dropout{0.5, 1}, in.q, in.k, in.v).output;
  for (index_t i = 0; i < 90; ++i) EXPECT_EQ(std::isnan(got(0, 0, i, 3)), i >= 40) << i;
}

// A text drops the same by its number, whether texts are padded or packed, and has the gradients of that.
TEST(dropout, tells_texts_by_their_number) {
  const std::array<index_t, 3> lengths{70, 1, 40};
  const std::array<index_t, 4> starts{0, 70, 71, 111};
  const auto padded = random_inputs<float>({.batch = 3, .heads = 2, .key_heads = 1, .queries = 70, .keys = 70, .channels = 12});
  const auto packed = [&](const tensor<float>& t) { return testing_support::packed(t, lengths); };
  const inputs<float> in{packed(padded.q), packed(padded.k), packed(padded.v)};
  const placement as_padded{.key_lengths = lengths, .query_lengths = lengths},
      as_packed{.query_starts = starts, .key_starts = starts};
  const auto one = forward(sentence, padded.q, padded.k, padded.v, as_padded),
             other = forward(sentence, in.q, in.k, in.v, as_packed);
  EXPECT_TRUE(same_bits(packed(one.output), other.output));
  EXPECT_LT(worst_difference(other.output, reference::attention(sentence, in.q, in.k, in.v, as_packed).output), 1e-5);
  const auto d_output = normal<float>(3, 2, 70, 8, 4);
  const auto d_one = backward(sentence, padded.q, padded.k, padded.v, one, d_output, as_padded);
  const auto d_other = backward(sentence, in.q, in.k, in.v, other, packed(d_output), as_packed);
  EXPECT_TRUE(same_bits(packed(d_one.d_query), d_other.d_query) && same_bits(packed(d_one.d_key), d_other.d_key) &&
              same_bits(packed(d_one.d_value), d_other.d_value));
}

// Texts and heads of the same tensors drop different weights, and so does another seed.
TEST(dropout, differs_by_text_head_and_seed) {
  auto in = random_inputs<float>({.batch = 2, .heads = 2, .key_heads = 1, .queries = 20, .keys = 20});
  for (tensor<float>* each : {&in.q, &in.k, &in.v})
    for (index_t b = 0; b < 2; ++b)
      for (index_t h = 0; h < each->dimension(1); ++h) each->chip(b, 0).chip(h, 0) = tensor<float>(*each).chip(0, 0).chip(0, 0);
  const auto run = [&](std::uint64_t seed) {
    return forward(dot_product{} | causal{} | dropout{0.5, seed}, in.q, in.k, in.v).output;
  };
  const tensor<float> output = run(1), other = run(2);
  const auto head = [](const tensor<float>& t, index_t b, index_t h) {
    return tensor<float>(t.slice(Eigen::array<Eigen::Index, 4>{b, h, 0, 0}, Eigen::array<Eigen::Index, 4>{1, 1, 20, 8}));
  };
  EXPECT_TRUE(same_bits(output, run(1)));
  for (const tensor<float>& different : {head(output, 0, 1), head(output, 1, 0), head(output, 1, 1), head(other, 0, 0)})
    EXPECT_FALSE(same_bits(head(output, 0, 0), different));
}

// Without bias: the mean of the outputs over seeds is the output of all weights.
TEST(dropout, leaves_the_mean_as_it_is) {
  const auto in = random_inputs<double>({.queries = 12, .keys = 12});
  const tensor<double> whole = reference::attention(dot_product{} | everything{}, in.q, in.k, in.v).output;
  tensor<double> sum(whole * 0.), squares(whole * 0.);
  constexpr int runs = 2000;
  for (int run = 0; run < runs; ++run) {
    const tensor<double> output =
        reference::attention(dot_product{} | everything{} | dropout{0.3, std::uint64_t(run)}, in.q, in.k, in.v).output;
    sum += output, squares += output * output;
  }
  for (Eigen::Index i = 0; i < whole.size(); ++i) {
    const double mean = sum.data()[i] / runs, variance = squares.data()[i] / runs - mean * mean;
    EXPECT_LT(std::abs(mean - whole.data()[i]), 5 * std::sqrt(variance / runs));
  }
}

// Parts of the keys merge to the whole: a key's place decides, not where it lies in a tensor.
TEST(dropout, of_parts_of_the_keys_merges_to_that_of_the_whole) {
  const auto in = random_inputs<double>({.heads = 2, .key_heads = 1, .queries = 50, .keys = 300, .channels = 12});
  const auto whole = forward(sentence, in.q, in.k, in.v);
  const auto part = [&](index_t first, index_t count) {
    const auto of = [&](const tensor<double>& t) {
      return tensor<double>(
          t.slice(Eigen::array<Eigen::Index, 4>{0, 0, first, 0}, Eigen::array<Eigen::Index, 4>{1, 1, count, t.dimension(3)}));
    };
    return forward(sentence, in.q, of(in.k), of(in.v), {.first_query = 250, .first_key = first, .all_keys = 300});
  };
  const auto merged = merge(merge(part(0, 77), part(77, 123)), part(200, 100));
  EXPECT_LT(worst_difference(merged.output, whole.output), 1e-14);
  EXPECT_LT(worst_difference(merged.log_sum_exp, whole.log_sum_exp), 1e-13);
}

// The gradients of what one seed drops, of a loss in output and log-sum-exp: of the tensors, a bias and the learned numbers.
TEST(dropout, has_the_gradients_that_differences_say) {
  auto in = random_inputs<double>(
      {.batch = 2, .heads = 2, .key_heads = 1, .queries = 70, .keys = 150, .channels = 6, .value_channels = 5});
  const loss of{normal<double>(2, 2, 70, 5, 4), sums(sums(2, 2, 70).setRandom())};
  tensor<double> numbers = normal<double>(1, 2, 70, 150, 5), d_numbers(numbers);
  auto mechanism = dot_product{} | softcap{3} | alibi{.slopes = per_head{0.1}} | bias{numbers, d_numbers} | causal{} |
                   dropout{0.4, 8} | sink{{0.3, -0.2}};
  const auto kept = kept_of(mechanism, in);
  const auto got = backward_with_parameters(mechanism, in.q, in.k, in.v, kept, attended{of.d_output, of.d_log_sum_exp});
  const auto compare = [&](tensor<double>& x, const tensor<double>& gradient) {
    for (Eigen::Index i = 3; i < x.size(); i += x.size() / 9) {
      const double before = x.data()[i], wanted = difference(1e-3, [&](double offset) {
                                           x.data()[i] = before + offset;
                                           return of(mechanism, in);
                                         });
      x.data()[i] = before;
      EXPECT_NEAR(gradient.data()[i], wanted, 2e-8) << i;
    }
  };
  compare(in.q, got.d_query), compare(in.k, got.d_key), compare(in.v, got.d_value);
  compare(numbers, d_numbers);
  std::vector<double> slopes;
  for_each_learned(got.d_mechanism, [&](double slope) { slopes.push_back(slope); });
  std::size_t number = 0;
  for_each_learned(mechanism, [&](double& value) {
    const double before = value;
    const double wanted = difference(1e-3, [&](double offset) {
      value = before + offset;
      return of(mechanism, in);
    });
    EXPECT_NEAR(slopes.at(number++), wanted, 1e-7 * (1 + std::abs(wanted)));
    value = before;
  });
  EXPECT_EQ(number, 3u);
}

template <class S>
class dropout_of : public testing::Test {};
using storages = testing::Types<Eigen::half, Eigen::bfloat16>;
TYPED_TEST_SUITE(dropout_of, storages);

TYPED_TEST(dropout_of, narrow_storage_drops_the_same) {
  using S = TypeParam;
  const auto in =
      with_unit_values<S>({.heads = 2, .key_heads = 1, .queries = 90, .keys = 90, .channels = 16, .value_channels = 90});
  const auto d_output = normal<S>(1, 2, 90, 90, 4);
  const dropout part{.share = 0.5, .seed = 2};
  const auto mechanism = dot_product{} | causal{} | part;
  const auto got = forward(mechanism, in.q, in.k, in.v);
  for (index_t h = 0; h < 2; ++h)
    for (index_t i = 0; i < 90; ++i)
      for (index_t j = 0; j < 90; ++j)
        ASSERT_EQ(float(got.output(0, h, i, j)) != 0, j <= i && !drops(part, 0, h, i, j)) << h << i << j;
  // d_value of unit d_output: a dropped weight has none.
  tensor<S> ones(d_output);
  ones.setConstant(S(1));
  const auto back = backward(mechanism, in.q, in.k, in.v, got, ones);
  const inputs<double> wide{in.q.template cast<double>(), in.k.template cast<double>(), in.v.template cast<double>()};
  const auto exact =
      backward(mechanism, wide.q, wide.k, wide.v, kept_of(mechanism, wide), tensor<double>(ones.template cast<double>()));
  EXPECT_LT(worst_difference(tensor<double>(back.d_value.template cast<double>()), exact.d_value), 0.05);
}

}  // namespace

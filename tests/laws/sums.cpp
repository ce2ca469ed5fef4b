// Sentences add: one softmax over the keys that any of them sees, at every door.
#include <array>
#include <cmath>
#include <limits>
#include <numeric>
#include <stdexcept>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "support/devices.hpp"
#include "support/loss.hpp"
#include "support/naive_backward.hpp"
#include "support/packed.hpp"
#include "support/tensors.hpp"
#include "support/words.hpp"

namespace {

using namespace testing_support;
using namespace longspan;

constexpr double nan = std::numeric_limits<double>::quiet_NaN();

// Distances below 20, from 20 to 99, and the rest: rows, temperatures, biases and sinks of their own. n is that of all three.
const auto three = (rope{} | dot_product{} | log_n{.trained = 32} | sliding_window{19} | sink{5.0}) +
                   (rope{}.at([](index_t place) { return 0.25 * double(place); }) | dot_product{} | ss_max{.scale = {0.3, 0.4}} |
                    alibi{} | sliding_window{99} | at_least{20}) +
                   (dot_product{} | temperature{0.8} | info_scale{.trained = 64} | causal{} | at_least{100} | sink{{0.5, -1}});

// The same three by hand: plain loops in double over (head, query, key) tensors of batch 1.
double logit_by_hand(const inputs<double>& in, index_t h, index_t i, index_t j, index_t n) {
  const index_t t = i - j, d = in.q.dimension(3), g = h / (in.q.dimension(1) / in.k.dimension(1));
  const double stretch = t < 20 ? 1 : t < 100 ? 0.25 : 0;
  double score = 0;
  for (index_t c = 0; c < d / 2; ++c) {
    const double angle = stretch * double(t) * std::pow(10000., -2. * double(c) / double(d));
    const double x = in.q(0, h, i, c), y = in.q(0, h, i, c + d / 2), a = in.k(0, g, j, c), b = in.k(0, g, j, c + d / 2);
    score += (x * a + y * b) * std::cos(angle) + (x * b - y * a) * std::sin(angle);
  }
  score /= std::sqrt(double(d));
  if (t < 20) return score * std::log(double(n)) / std::log(32.);
  if (t < 100) return score * (h == 0 ? 0.3 : 0.4) * std::log(double(n)) - std::exp2(h == 0 ? -4. : -8.) * double(t);
  const auto grown = [d](double keys) { return std::sqrt(1 - std::pow(keys, -2. / double(d))); };
  return 0.8 * score * grown(double(n)) / grown(64);
}

TEST(sums, are_one_softmax_over_the_keys_of_all_summands) {
  const auto in =
      random_inputs<double>({.heads = 2, .key_heads = 1, .queries = 150, .keys = 150, .channels = 8, .value_channels = 5});
  const auto defined = reference::attention(three, in.q, in.k, in.v);
  const auto fused = forward(three, in.q, in.k, in.v);
  double worst = 0;
  for (index_t h = 0; h < 2; ++h)
    for (index_t i = 0; i < 150; ++i) {
      double sum = std::exp(h == 0 ? 0.5 : -1);  // the sink of the last summand that has one
      std::array<double, 5> output{};
      for (index_t j = 0; j <= i; ++j) {
        const double weight = std::exp(logit_by_hand(in, h, i, j, i + 1));
        sum += weight;
        for (index_t c = 0; c < 5; ++c) output[std::size_t(c)] += weight * in.v(0, 0, j, c);
      }
      for (const auto* made : {&defined, &fused}) {
        worst = worse(worst, std::abs(made->log_sum_exp(0, h, i) - std::log(sum)));
        for (index_t c = 0; c < 5; ++c) worst = worse(worst, std::abs(made->output(0, h, i, c) - output[std::size_t(c)] / sum));
      }
    }
  EXPECT_LT(worst, 1e-13);
}

// The masks of two halves of a mechanism, which differ by head and are data.
const auto whole = rope{} | dot_product{} | log_n{.trained = 32} | causal{} | sink{0.25};
template <class Mask>
auto half(const Mask& mask) {
  return rope{} | dot_product{} | log_n{.trained = 32} | causal{} | mask | sink{0.25};
}
struct halves_by_bits {
  Eigen::Tensor<bool, 4, Eigen::RowMajor> in_first, in_second;

  halves_by_bits(index_t heads, index_t queries, index_t keys) : in_first(1, heads, queries, keys), in_second(in_first) {
    for (index_t i = 0; i < in_first.size(); ++i) in_second.data()[i] = !(in_first.data()[i] = i % 7 < 3 || i % 64 > 50);
  }
  auto sum() const { return half(boolean_mask{in_first}) + half(boolean_mask{in_second}); }
};

TEST(sums, of_the_parts_of_a_mechanism_are_the_mechanism) {
  const auto in = random_inputs<float>({.heads = 2, .key_heads = 1, .queries = 130, .keys = 170, .channels = 12});
  const auto wanted = reference::attention(whole, in.q, in.k, in.v);
  const halves_by_bits halves(2, 130, 170);
  const auto by_bits = forward(halves.sum(), in.q, in.k, in.v);
  const auto by_distance = forward(half(sliding_window{49}) + half(at_least{50}), in.q, in.k, in.v);
  for (const auto* made : {&by_bits, &by_distance}) {
    EXPECT_LT(worst_difference(made->output, wanted.output), 1e-6);
    EXPECT_LT(worst_difference(made->log_sum_exp, wanted.log_sum_exp), 1e-6);
  }
}

// The log-sum-exp is not kept, or kept where it was; the device runs the passes and the merge.
TEST(sums, have_the_same_bits_at_every_door_and_for_every_device) {
  const auto in = random_inputs<float>(
      {.batch = 2, .heads = 2, .key_heads = 1, .queries = 333, .keys = 333, .channels = 12, .value_channels = 10});
  const auto made = forward(three, in.q, in.k, in.v);
  auto again = made;
  again.output.setConstant(7), again.log_sum_exp.setConstant(7);
  forward_into(std_threads{3}, three, in.q, in.k, in.v, again.output);
  EXPECT_TRUE(same_bits(again.output, made.output));
  EXPECT_EQ(again.log_sum_exp(1, 1, 332), 7);
  again.output.setConstant(7);
  forward_into(std_threads{3}, three, in.q, in.k, in.v, again.output, again.log_sum_exp);
  EXPECT_TRUE(same_bits(again.output, made.output) && same_bits(again.log_sum_exp, made.log_sum_exp));
  for (const index_t row : {0, 19, 20, 99, 100, 332}) {
    tensor<float> query(2, 2, 1, 12);
    for (index_t b = 0; b < 2; ++b)
      for (index_t h = 0; h < 2; ++h)
        for (index_t c = 0; c < 12; ++c) query(b, h, 0, c) = in.q(b, h, row, c);
    const auto decoded = forward(std_threads{3}, three, query, in.k, in.v, {.first_query = row});
    for (index_t b = 0; b < 2; ++b)
      for (index_t h = 0; h < 2; ++h) {
        EXPECT_EQ(decoded.log_sum_exp(b, h, 0), made.log_sum_exp(b, h, row)) << row;
        for (index_t c = 0; c < 10; ++c) EXPECT_EQ(decoded.output(b, h, 0, c), made.output(b, h, row, c)) << row;
      }
  }
}

TEST(sums, of_parts_of_the_keys_merge) {
  const auto in = random_inputs<float>({.heads = 2, .key_heads = 1, .queries = 90, .keys = 401, .channels = 12});
  const auto all = forward(three, in.q, in.k, in.v);
  const auto part = [&](index_t from, index_t to) {
    const auto tokens = [&](const tensor<float>& t) {
      return tensor<float>(
          t.slice(Eigen::array<Eigen::Index, 4>{0, 0, from, 0}, Eigen::array<Eigen::Index, 4>{1, 1, to - from, t.dimension(3)}));
    };
    return forward(three, in.q, tokens(in.k), tokens(in.v), {.first_query = 311, .first_key = from, .all_keys = 401});
  };
  const auto merged = merge(merge(part(0, 7), part(7, 263)), part(263, 401));
  EXPECT_LT(worst_difference(merged.output, all.output), 1e-6);
  EXPECT_LT(worst_difference(merged.log_sum_exp, all.log_sum_exp), 2e-6);
}

TEST(sums, give_texts_the_bits_that_they_have_alone) {
  constexpr std::array<index_t, 4> tokens{333, 20, 0, 150};
  auto in = random_inputs<double>({.batch = 4, .heads = 2, .key_heads = 1, .queries = 340, .keys = 340, .channels = 8});
  const auto d_output = normal<double>(4, 2, 340, 8, 9);
  const inputs<double> packed{testing_support::packed(in.q, tokens), testing_support::packed(in.k, tokens),
                              testing_support::packed(in.v, tokens)};
  const std::array<index_t, 5> starts{0, 333, 353, 353, 503};
  const placement where{.query_starts = starts, .key_starts = starts}, padded{.key_lengths = tokens, .query_lengths = tokens};
  const auto made = forward(three, packed.q, packed.k, packed.v, where);
  const auto gradients =
      backward(std_threads{3}, three, packed.q, packed.k, packed.v, made, testing_support::packed(d_output, tokens), where);
  for (tensor<double>* each : {&in.q, &in.k, &in.v})
    for (index_t b = 0; b < 4; ++b)
      for (index_t h = 0; h < each->dimension(1); ++h)
        for (index_t i = tokens[std::size_t(b)]; i < 340; ++i) (*each)(b, h, i, 3) = nan;
  const auto made_padded = forward(three, in.q, in.k, in.v, padded);
  const auto gradients_padded = backward(three, in.q, in.k, in.v, made_padded, d_output, padded);
  EXPECT_TRUE(same_bits(testing_support::packed(made_padded.output, tokens), made.output));
  EXPECT_TRUE(same_bits(testing_support::packed(gradients_padded.d_query, tokens), gradients.d_query));
  EXPECT_TRUE(same_bits(testing_support::packed(gradients_padded.d_key, tokens), gradients.d_key));
  EXPECT_TRUE(same_bits(testing_support::packed(gradients_padded.d_value, tokens), gradients.d_value));
  EXPECT_EQ(made_padded.output(2, 1, 5, 3), 0);
  EXPECT_EQ(made_padded.log_sum_exp(1, 1, 20), -HUGE_VAL);
  EXPECT_EQ(gradients_padded.d_key(1, 0, 20, 0), 0);
  const auto alone = [&](const tensor<double>& t) {
    return tensor<double>(t.slice(Eigen::array<Eigen::Index, 4>{3, 0, 0, 0},
                                  Eigen::array<Eigen::Index, 4>{1, t.dimension(1), 150, t.dimension(3)}));
  };
  const inputs<double> last{alone(in.q), alone(in.k), alone(in.v)};
  const auto of_last = forward(three, last.q, last.k, last.v);
  EXPECT_TRUE(same_bits(alone(made_padded.output), of_last.output));
  EXPECT_TRUE(same_bits(alone(gradients_padded.d_key), backward(three, last.q, last.k, last.v, of_last, alone(d_output)).d_key));
}

TEST(sums, have_the_gradients_of_their_definition) {
  auto in = random_inputs<double>(
      {.batch = 2, .heads = 2, .key_heads = 1, .queries = 37, .keys = 201, .channels = 12, .value_channels = 7});
  const loss of{normal<double>(2, 2, 37, 7, 4), testing_support::sums(testing_support::sums(2, 2, 37).setRandom())};
  auto gradient = backward_with_parameters(three, in.q, in.k, in.v, kept_of(three, in), attended{of.d_output, of.d_log_sum_exp});
  const auto expect = [&](double made, const char* name, auto move) {
    const double wanted = difference(1e-4, move);
    EXPECT_NEAR(made, wanted, 1e-8 * (1 + std::abs(wanted))) << name;
  };
  const auto expect_tensor = [&](const char* name, tensor<double>& moved, const tensor<double>& made) {
    for (const index_t at : {index_t(3), made.size() / 2, made.size() - 5})
      expect(made.data()[at], name, [&](double offset) {
        const double was = std::exchange(moved.data()[at], moved.data()[at] + offset);
        const double value = of(three, in);
        moved.data()[at] = was;
        return value;
      });
  };
  expect_tensor("query", in.q, gradient.d_query);
  expect_tensor("key", in.k, gradient.d_key);
  expect_tensor("value", in.v, gradient.d_value);
  // The sink of the first summand, SSMax's two scales, the temperature and the last summand's two sinks.
  std::vector<double> slopes;
  for_each_learned(gradient.d_mechanism, [&](double& slope) { slopes.push_back(slope); });
  ASSERT_EQ(slopes.size(), 6u);
  for (std::size_t number = 0; number < slopes.size(); ++number)
    expect(slopes[number], "a learned number", [&](double offset) {
      auto moved = three;
      std::size_t count = 0;
      for_each_learned(moved, [&](double& each) { each += count++ == number ? offset : 0; });
      return of(moved, in);
    });
  EXPECT_EQ(slopes[0], 0);  // another counts the sink
  EXPECT_NE(slopes[5], 0);
  double sinks = 0;
  for_each_learned(std::as_const(gradient.d_mechanism), [&](const double& slope) { sinks += slope; });
  EXPECT_EQ(sinks, std::accumulate(slopes.begin(), slopes.end(), 0.0));
  EXPECT_EQ((get<sink, 1>(three).logit.values()), (std::vector{0.5, -1.}));
}

// Summed in float and rounded once. The products of bfloat16 round rows that were turned.
TEST(sums, of_narrow_numbers_are_those_of_float_rounded) {
  using narrow = Eigen::bfloat16;
  const auto in = random_inputs<narrow>({.heads = 2, .key_heads = 1, .queries = 70, .keys = 170, .channels = 12});
  const inputs<float> wide{in.q.cast<float>(), in.k.cast<float>(), in.v.cast<float>()};
  const auto sum = half(sliding_window{49}) + half(at_least{50});
  const auto d_output = normal<narrow>(1, 2, 70, 8, 4);
  const auto made = forward(sum, in.q, in.k, in.v);
  const auto wanted = forward(sum, wide.q, wide.k, wide.v);
  EXPECT_LT(worst_difference(made.output, wanted.output), 0.02);
  const auto gradients = backward(sum, in.q, in.k, in.v, made, d_output);
  const auto of_wide = backward(sum, wide.q, wide.k, wide.v, wanted, tensor<float>(d_output.cast<float>()));
  EXPECT_LT(worst_gradient(gradients, of_wide), 0.04);
}

// Dropped weights are told by the place of the key, whichever summand reads it; what is skipped cannot matter in the sum either.
TEST(sums, drop_and_skip_as_the_whole_does) {
  const auto in = random_inputs<float>({.heads = 2, .key_heads = 1, .queries = 333, .keys = 333});
  const auto scored = dot_product{} | alibi{.slopes = 2.0};
  const auto once = scored | causal{} | dropout{0.2, 7};
  const auto sum = (scored | sliding_window{69} | skip_negligible{} | dropout{0.2, 7}) +
                   (scored | causal{} | at_least{70} | skip_negligible{} | dropout{0.2, 7});
  const auto kept = kept_of(once, in);
  EXPECT_LT(worst_difference(forward(sum, in.q, in.k, in.v).output, kept.output), 2e-6);
  const auto d_output = normal<float>(1, 2, 333, 8, 4);
  EXPECT_LT(worst_gradient(backward(sum, in.q, in.k, in.v, kept, d_output), naive_backward(once, in, d_output)), 1e-5);
}

// What parts write beside the gradients of q, k and v is written in every summand.
TEST(sums, write_the_gradients_of_biases) {
  const auto in = random_inputs<double>({.heads = 2, .key_heads = 1, .queries = 40, .keys = 40});
  const tensor<double> numbers = normal<double>(1, 2, 1, 40, 7);
  tensor<double> of_near = numbers, of_far = numbers, of_whole = numbers;
  const auto d_output = normal<double>(1, 2, 40, 8, 4);
  const auto once = dot_product{} | bias{numbers, of_whole} | causal{};
  const auto sum = (dot_product{} | bias{numbers, of_near} | sliding_window{9}) +
                   (dot_product{} | bias{numbers, of_far} | causal{} | at_least{10});
  const auto kept = kept_of(once, in);
  backward(once, in.q, in.k, in.v, kept, d_output);
  backward(sum, in.q, in.k, in.v, kept, d_output);
  EXPECT_LT(worst_difference(tensor<double>(of_near + of_far), of_whole), 1e-14);
  EXPECT_EQ(words_of([&] {
              backward((dot_product{} | bias{numbers, of_near} | sliding_window{9}) +
                           (dot_product{} | bias{numbers, of_near} | causal{} | at_least{10}),
                       in.q, in.k, in.v, kept, d_output);
            }),
            "d_bias shares memory with d_bias: every part needs a gradient of its own, in each summand of a sum, too");
}

TEST(sums, read_no_key_twice) {
  auto in = random_inputs<float>({.batch = 2, .heads = 2, .key_heads = 1, .queries = 70, .keys = 90});
  tensor<float> output(2, 2, 70, 8);
  output.setConstant(7);
  const auto sum = half(sliding_window{10}) + half(at_least{11}) + half(at_least{30});
  EXPECT_EQ(words_of([&] { forward_into(sum, in.q, in.k, in.v, output); }),
            "a sum reads each key in one summand: the query at place 30 (text 0, head 0) sees key 0 in summands 1 and 2");
  EXPECT_EQ(words_of([&] { reference::attention(sum, in.q, in.k, in.v); }),
            words_of([&] { forward_into(sum, in.q, in.k, in.v, output); }));
  EXPECT_THROW(forward(sum, in.q, in.k, in.v), std::invalid_argument);
  halves_by_bits halves(2, 70, 90);
  halves.in_first(0, 1, 33, 17) = halves.in_second(0, 1, 33, 17) = true;
  EXPECT_EQ(words_of([&] { forward_into(halves.sum(), in.q, in.k, in.v, output); }),
            "a sum reads each key in one summand: the query at place 53 (text 0, head 1) sees key 17 in summands 0 and 1");
  EXPECT_EQ(words_of([&] { forward_into(half(sliding_window{10}) + half(at_least{-1}), in.q, in.k, in.v, output); }),
            "at_least: distance must be at least 0, not -1");
  for (index_t i = 0; i < output.size(); ++i) ASSERT_EQ(output.data()[i], 7);
}

// What no summand shows cannot touch a row, and a row that sees nothing has the sink alone.
TEST(sums, hide_what_no_summand_shows) {
  auto in = random_inputs<float>({.heads = 2, .key_heads = 1, .queries = 90, .keys = 80, .channels = 8});
  const auto gap = half(sliding_window{9}) + half(at_least{20});
  const auto clean = forward(gap, in.q, in.k, in.v);
  for (index_t c = 0; c < 8; ++c) in.k(0, 0, 50, c) = in.v(0, 0, 50, c) = float(nan);
  const auto touched = forward(gap, in.q, in.k, in.v);
  const auto gradients = backward(gap, in.q, in.k, in.v, clean, clean.output);
  for (index_t i = 0; i < 90; ++i) {
    const index_t t = i - 10 - 50;
    EXPECT_EQ(std::isnan(touched.output(0, 1, i, 2)), (0 <= t && t < 10) || t >= 20) << i;
    if (t >= 10 && t < 20) {
      EXPECT_EQ(touched.log_sum_exp(0, 0, i), clean.log_sum_exp(0, 0, i)) << i;
    }
    EXPECT_EQ(std::isnan(gradients.d_query(0, 1, i, 2)), (0 <= t && t < 10) || t >= 20) << i;
  }
  EXPECT_EQ(clean.log_sum_exp(0, 0, 5), 0.25f);
  EXPECT_EQ(clean.output(0, 0, 5, 0), 0);
}

// A weight of 0 times NaN or infinity is NaN, in every summand, and whether or not a row has any other weight.
TEST(sums, carry_a_nan_by_a_weight_of_zero) {
  auto in = random_inputs<double>({.heads = 2, .key_heads = 1, .queries = 40, .keys = 40, .channels = 8});
  tensor<float> none(1, 1, 40, 40);
  none.setZero();
  for (index_t j = 0; j < 40; ++j) none(0, 0, 30, j) = -HUGE_VALF;                      // of row 30 nothing is left,
  for (const index_t j : {35, 34, 33, 32, 31, 30, 20}) none(0, 0, 35, j) = -HUGE_VALF;  // of row 35 not what is near,
  for (index_t j = 0; j <= 26; ++j) none(0, 0, 32, j) = -HUGE_VALF;                     // of row 32 not what is far
  in.v(0, 0, 30, 2) = nan, in.v(0, 0, 20, 4) = HUGE_VAL;
  const auto near_and_far = (dot_product{} | bias{none} | sliding_window{5}) + (cosine{} | bias{none} | causal{} | at_least{6});
  const auto got = forward(near_and_far, in.q, in.k, in.v);
  const auto exact = reference::attention(near_and_far, in.q, in.k, in.v);
  for (const index_t i : {29, 30, 32, 35})
    for (index_t c = 0; c < 8; ++c) {
      const bool sees_nan = c == 2 && i >= 30, sees_infinity = c == 4;
      const double x = got.output(0, 1, i, c), y = exact.output(0, 1, i, c);
      EXPECT_EQ(std::isfinite(y), !sees_nan && !sees_infinity) << i << ' ' << c;
      EXPECT_EQ(std::isnan(x), std::isnan(y)) << i << ' ' << c;
      if (!std::isnan(x)) {
        EXPECT_TRUE(x == y || std::abs(x - y) < 1e-14) << i << ' ' << c;
      }
    }
  EXPECT_EQ(got.log_sum_exp(0, 0, 30), -HUGE_VAL);
}

}  // namespace

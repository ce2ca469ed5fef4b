// Masks that are tensors: against the definition, and bit for bit like masks that answer with bits or with intervals.
#include <array>
#include <cmath>
#include <cstring>
#include <limits>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include <longspan/longspan.hpp>

#include "support/bit_matrix.hpp"
#include "support/devices.hpp"
#include "support/tensors.hpp"
#include "support/words.hpp"

namespace {

using namespace testing_support;
using namespace longspan;
using booleans = Eigen::Tensor<bool, 4, Eigen::RowMajor>;

constexpr lengths shape_of(index_t queries, index_t keys) {
  return {.batch = 2, .heads = 4, .key_heads = 2, .queries = queries, .keys = keys, .channels = 20, .value_channels = 12};
}
// Streamed and packed decoding, prefills.
constexpr std::array calls{shape_of(1, 1100), shape_of(3, 701), shape_of(20, 601), shape_of(90, 333), shape_of(60, 60)};

// sees(text, head, query, key) as a tensor whose axes have extent 1 where `ones` has a bit, and the same as bits.
template <class Sees>
booleans as_tensor(const lengths& of, int ones, Sees sees) {
  booleans seen(ones & 1 ? 1 : of.batch, ones & 2 ? 1 : of.heads, ones & 4 ? 1 : of.queries, ones & 8 ? 1 : of.keys);
  for (index_t b = 0; b < seen.dimension(0); ++b)
    for (index_t h = 0; h < seen.dimension(1); ++h)
      for (index_t i = 0; i < seen.dimension(2); ++i)
        for (index_t j = 0; j < seen.dimension(3); ++j) seen(b, h, i, j) = sees(b, h, i, j);
  return seen;
}
bool element(const booleans& seen, index_t b, index_t h, index_t i, index_t j) {
  return seen(b % seen.dimension(0), h % seen.dimension(1), i % seen.dimension(2), j % seen.dimension(3));
}
bit_matrix as_bits(const lengths& of, const booleans& seen) {
  return {of.batch, of.heads, of.queries, of.keys,
          [&](index_t b, index_t h, index_t p, index_t j) { return element(seen, b, h, p - of.keys + of.queries, j); }};
}

// Looks random, and is the same for the same numbers.
bool chance(index_t b, index_t h, index_t i, index_t j, unsigned in) {
  unsigned x = unsigned(7919 * b + 104729 * h + 31 * i) * 2654435761u ^ unsigned(j) * 40503u * 65539u;
  return (x ^ x >> 13) * 2246822519u / 977 % in == 0;
}

// visit(name, sees) of a call.
template <class Visit>
void for_each_pattern(const lengths& of, Visit visit) {
  const index_t offset = of.keys - of.queries;
  visit("everything", [](index_t, index_t, index_t, index_t) { return true; });
  visit("nothing", [](index_t, index_t, index_t, index_t) { return false; });
  visit("causal", [=](index_t, index_t, index_t i, index_t j) { return j <= i + offset; });
  visit("blocks", [=](index_t b, index_t, index_t i, index_t j) { return j / (37 + b) == (i + offset) / (37 + b); });
  visit("half", [](index_t b, index_t h, index_t i, index_t j) { return chance(b, h, i, j, 2); });
  visit("few", [](index_t b, index_t h, index_t i, index_t j) { return chance(b, h, i, j, 60); });
  visit("some rows",
        [=](index_t, index_t h, index_t i, index_t j) { return (i + h) % 3 != 0 && j <= i + offset && j % 97 != 5; });
}

template <class... Masks>
auto with(const Masks&... masks) {
  return ((dot_product{.scale = 0.3} | log_n{.trained = 16}) | ... | masks);
}

TEST(boolean_masks, have_the_bits_of_masks_that_answer_with_bits) {
  for (const lengths& of : calls) {
    const auto in = random_inputs<float>(of);
    const auto d_output = normal<float>(of.batch, of.heads, of.queries, of.value_channels, 9);
    for_each_pattern(of, [&](const char* name, const auto& sees) {
      for (const int ones : {0, 1, 2, 3, 4, 7, 8, 15}) {
        const std::string what = std::string(name) + ", " + std::to_string(of.queries) + " queries, " + std::to_string(ones);
        const booleans seen = as_tensor(of, ones, sees);
        const auto whole = with(boolean_mask{seen});
        const auto other = with(as_bits(of, seen));
        const auto got = forward(whole, in.q, in.k, in.v), wanted = forward(other, in.q, in.k, in.v);
        EXPECT_TRUE(same_bits(got.output, wanted.output) && same_bits(got.log_sum_exp, wanted.log_sum_exp)) << what;
        if (ones > 3) continue;
        const auto gradients = backward(whole, in.q, in.k, in.v, got, d_output);
        const auto others = backward(other, in.q, in.k, in.v, got, d_output);
        EXPECT_TRUE(same_bits(gradients.d_query, others.d_query) && same_bits(gradients.d_key, others.d_key) &&
                    same_bits(gradients.d_value, others.d_value))
            << what;
      }
    });
  }
}

// Of one row at a time, from the tensor itself.
TEST(boolean_masks, see_what_the_tensor_says) {
  for (const lengths& of : calls) {
    const auto in = random_inputs<double>(of);
    const booleans seen = as_tensor(of, 0, [](index_t b, index_t h, index_t i, index_t j) { return chance(b, h, i, j, 7); });
    const auto got = forward(dot_product{.scale = 0.3} | boolean_mask{seen}, in.q, in.k, in.v);
    double worst = 0;
    for (index_t b = 0; b < of.batch; ++b)
      for (index_t h = 0; h < of.heads; ++h)
        for (index_t i = 0; i < of.queries; ++i) {
          double sum = 0, first = 0;
          for (index_t j = 0; j < of.keys; ++j) {
            if (!seen(b, h, i, j)) continue;
            double score = 0;
            for (index_t c = 0; c < of.channels; ++c) score += in.q(b, h, i, c) * in.k(b, h / 2, j, c);
            sum += std::exp(0.3 * score), first += std::exp(0.3 * score) * in.v(b, h / 2, j, 0);
          }
          worst =
              worse({worst, std::abs(got.output(b, h, i, 0) - first / sum), std::abs(got.log_sum_exp(b, h, i) - std::log(sum))});
        }
    EXPECT_LT(worst, 1e-11) << of.queries;
    EXPECT_LT(worst_difference(got.output,
                               reference::attention(dot_product{.scale = 0.3} | boolean_mask{seen}, in.q, in.k, in.v).output),
              1e-11);
  }
}

TEST(boolean_masks, intersect_with_others) {
  const sinks_and_window window{.sinks = 4, .window = 150};
  for (const lengths& of : calls) {
    const auto in = random_inputs<float>(of);
    const auto sees = [](index_t b, index_t h, index_t i, index_t j) { return chance(b, h, i, j, 3); };
    const auto all = [&](index_t b, index_t h, index_t i, index_t j) {
      const index_t t = i + of.keys - of.queries - j;
      return sees(b, h, i, j) && j % 11 != 3 && t >= 0 && (j < 4 || t < 150);
    };
    const booleans some = as_tensor(of, 0, sees), together = as_tensor(of, 0, all),
                   padding = as_tensor(of, 7, [](index_t, index_t, index_t, index_t j) { return j % 11 != 3; });
    const auto wanted = forward(with(boolean_mask{together}), in.q, in.k, in.v);
    const auto got = forward(with(boolean_mask{some}, window, boolean_mask{padding}, causal{}), in.q, in.k, in.v);
    EXPECT_TRUE(same_bits(got.output, wanted.output) && same_bits(got.log_sum_exp, wanted.log_sum_exp)) << of.queries;
  }
}

// A row has the same bits in a prefill, alone, and for any number of threads.
TEST(boolean_masks, give_a_row_the_same_bits_however_it_is_computed) {
  const lengths of = shape_of(90, 333);
  const auto in = random_inputs<float>(of);
  const booleans seen = as_tensor(of, 0, [](index_t b, index_t h, index_t i, index_t j) { return chance(b, h, i, j, 5); });
  const auto whole = with(boolean_mask{seen});
  const auto all = forward(whole, in.q, in.k, in.v);
  for (const index_t threads : {2, 5})
    EXPECT_TRUE(same_bits(forward(std_threads{threads}, whole, in.q, in.k, in.v).output, all.output));
  EXPECT_TRUE(same_bits(forward(backwards{3}, whole, in.q, in.k, in.v).output, all.output));
  for (const index_t i : {0, 41, 89}) {
    const tensor<float> query = in.q.slice(Eigen::array<index_t, 4>{0, 0, i, 0}, Eigen::array<index_t, 4>{2, 4, 1, 20});
    const auto one =
        forward(with(boolean_mask{view<const bool>{&seen(0, 0, i, 0), {2, 4, 1, 333}, {4 * 90 * 333, 90 * 333, 333, 1}}}), query,
                in.k, in.v);
    for (index_t b = 0; b < 2; ++b)
      for (index_t h = 0; h < 4; ++h)
        EXPECT_EQ(std::memcmp(&one.output(b, h, 0, 0), &all.output(b, h, i, 0), 12 * sizeof(float)), 0) << "row " << i;
  }
}

TEST(boolean_masks, keep_hidden_nan_out) {
  for (const lengths& of : {shape_of(3, 301), shape_of(90, 301)}) {
    auto in = random_inputs<float>(of);
    const booleans seen =
        as_tensor(of, 0, [](index_t b, index_t h, index_t i, index_t j) { return j != 77 && chance(b, h, i, j, 2); });
    const auto whole = with(boolean_mask{seen});
    const auto d_output = normal<float>(of.batch, of.heads, of.queries, of.value_channels, 9);
    const auto clean = forward(whole, in.q, in.k, in.v);
    const auto gradients = backward(whole, in.q, in.k, in.v, clean, d_output);
    for (index_t c = 0; c < of.channels; ++c) in.k(1, 0, 77, c) = std::numeric_limits<float>::quiet_NaN();
    for (index_t c = 0; c < of.value_channels; ++c) in.v(1, 0, 77, c) = std::numeric_limits<float>::infinity();
    const auto touched = forward(whole, in.q, in.k, in.v);
    const auto d_touched = backward(whole, in.q, in.k, in.v, touched, d_output);
    EXPECT_TRUE(same_bits(touched.output, clean.output) && same_bits(touched.log_sum_exp, clean.log_sum_exp));
    EXPECT_TRUE(same_bits(d_touched.d_query, gradients.d_query) && same_bits(d_touched.d_key, gradients.d_key) &&
                same_bits(d_touched.d_value, gradients.d_value));
  }
}

// Windows without a bound on a side, and the other masks with the largest number there is.
TEST(boolean_masks, say_what_unbounded_masks_say) {
  constexpr index_t most = std::numeric_limits<index_t>::max();
  for (const lengths& of : {shape_of(12, 12), shape_of(90, 333), shape_of(3, 701)}) {
    const auto in = random_inputs<float>(of);
    const auto expect = [&](const auto& unbounded, auto sees) {
      const booleans seen =
          as_tensor(of, 3, [&](index_t, index_t, index_t i, index_t j) { return sees(i + of.keys - of.queries, j); });
      const auto got = forward(with(unbounded), in.q, in.k, in.v), wanted = forward(with(boolean_mask{seen}), in.q, in.k, in.v);
      EXPECT_TRUE(same_bits(got.output, wanted.output) && same_bits(got.log_sum_exp, wanted.log_sum_exp)) << of.queries;
    };
    const auto causally = [](index_t p, index_t j) { return j <= p; };
    expect(sliding_window{3, most}, [](index_t p, index_t j) { return p - 3 <= j; });
    expect(sliding_window{most, 3}, [](index_t p, index_t j) { return j <= p + 3; });
    expect(sliding_window{most, most}, [](index_t, index_t) { return true; });
    expect(sinks_and_window{.sinks = 4, .window = most}, causally);
    expect(sinks_and_window{.sinks = most, .window = 2}, causally);
    expect(prefix{most}, [](index_t, index_t) { return true; });
    expect(chunks{most}, causally);
    expect(chunks{50}, [](index_t p, index_t j) { return j / 50 == p / 50 && j <= p; });
  }
}

// Parts of the keys see their part of the tensor: its axes count what is at hand.
TEST(boolean_masks, of_parts_of_the_keys_merge_into_the_whole) {
  for (const lengths& of : {shape_of(3, 701), shape_of(90, 701)}) {
    const auto in = random_inputs<float>(of);
    const booleans seen = as_tensor(
        of, 0, [](index_t b, index_t h, index_t i, index_t j) { return i % 9 != 0 && j / 100 != 2 && chance(b, h, i, j, 3); });
    const auto part = [&](index_t from, index_t to) {
      const auto tokens = [&](const tensor<float>& t) {
        return view<const float>{t.data() + from * t.dimension(3),
                                 {of.batch, of.key_heads, to - from, t.dimension(3)},
                                 {of.key_heads * of.keys * t.dimension(3), of.keys * t.dimension(3), t.dimension(3), 1}};
      };
      const view<const bool> keys{&seen(0, 0, 0, from),
                                  {of.batch, of.heads, of.queries, to - from},
                                  {of.heads * of.queries * of.keys, of.queries * of.keys, of.keys, 1}};
      return forward(rope{} | dot_product{} | alibi{} | boolean_mask{keys}, in.q, tokens(in.k), tokens(in.v),
                     {.first_query = of.keys - of.queries, .first_key = from, .all_keys = of.keys});
    };
    const auto whole = forward(rope{} | dot_product{} | alibi{} | boolean_mask{seen}, in.q, in.k, in.v);
    const auto merged = merge(merge(part(0, 37), part(37, 201)), merge(part(201, 260), part(260, 701)));
    EXPECT_LT(worst_difference(merged.output, whole.output), 1e-5);
    EXPECT_LT(worst_difference(merged.log_sum_exp, whole.log_sum_exp), 1e-5);
  }
}

// The whole mask tells every part what the row sees elsewhere: n is that of the whole, and one part counts the sink.
TEST(boolean_masks, of_all_keys_serve_parts_of_them) {
  const lengths of = shape_of(5, 300);
  const auto in = random_inputs<float>(of);
  const booleans seen =
      as_tensor(of, 0, [](index_t b, index_t h, index_t i, index_t j) { return i != 2 && chance(b, h, i, j, 3); });
  const auto mechanism = dot_product{} | log_n{.trained = 16} | boolean_mask{seen} | sink{0.5};
  const auto part = [&](index_t from, index_t to) {
    const auto tokens = [&](const tensor<float>& t) {
      return view<const float>{t.data() + from * t.dimension(3),
                               {of.batch, of.key_heads, to - from, t.dimension(3)},
                               {of.key_heads * of.keys * t.dimension(3), of.keys * t.dimension(3), t.dimension(3), 1}};
    };
    return forward(mechanism, in.q, tokens(in.k), tokens(in.v),
                   {.first_query = of.keys - of.queries, .first_key = from, .all_keys = of.keys});
  };
  const auto whole = forward(mechanism, in.q, in.k, in.v);
  const auto merged = merge(merge(part(0, 37), part(37, 201)), part(201, 300));
  EXPECT_LT(worst_difference(merged.output, whole.output), 1e-5);
  EXPECT_LT(worst_difference(merged.log_sum_exp, whole.log_sum_exp), 1e-5);
}

TEST(boolean_masks, that_do_not_fit_are_refused_before_anything_is_written) {
  const lengths of = shape_of(7, 20);
  const auto in = random_inputs<float>(of);
  tensor<float> output(2, 4, 7, 12);
  output.setConstant(3);
  booleans seen(1, 1, 7, 19);
  seen.setConstant(true);
  EXPECT_EQ(words_of<shape_error>([&] { forward_into(with(boolean_mask{seen}), in.q, in.k, in.v, output); }),
            "boolean_mask and the call differ in keys: 19 and 20; only an axis of extent 1 stands for all");
  for (Eigen::Index i = 0; i < output.size(); ++i) EXPECT_EQ(output.data()[i], 3);
}

}  // namespace

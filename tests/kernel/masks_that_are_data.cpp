// Masks that answer with bits: against the definition, and bit for bit like masks that answer with intervals.
#include <array>
#include <cmath>
#include <functional>
#include <limits>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include <longspan/mechanism/get.hpp>

#include "support/bit_matrix.hpp"
#include "support/mechanisms.hpp"
#include "support/naive_backward.hpp"
#include "support/tensors.hpp"

namespace {

using namespace testing_support;
using namespace longspan;
using namespace longspan::detail;

// A few runs for each text, head and position.
using runs = std::array<interval, 6>;
using runs_of_row = std::function<runs(index_t, index_t, index_t)>;
struct as_intervals {
  runs_of_row of;
  runs operator()(const query_row& row) const { return of(row.batch, row.head, row.position); }
};

// The same as bits.
bit_matrix as_bits(const lengths& of, const runs_of_row& some) {
  return {of.batch, of.heads, of.queries, of.keys, [&](index_t b, index_t h, index_t p, index_t j) {
            for (const interval& run : some(b, h, p))
              if (run.contains(j)) return true;
            return false;
          }};
}

unsigned seed_of(index_t b, index_t h, index_t p) { return unsigned(7919 * b + 104729 * h + 31 * p + 100'000); }

// visit(name, runs of a row) for texts of so many keys.
template <class Visit>
void for_each_pattern(index_t keys, Visit visit) {
  const auto one = [](interval run) { return runs{run}; };
  visit("everything", [=](index_t, index_t, index_t) { return one({0, keys}); });
  visit("causal", [=](index_t, index_t, index_t p) { return one({0, p + 1}); });
  visit("blocks on the diagonal",
        [=](index_t, index_t h, index_t p) { return one({p / (37 + h) * (37 + h), (p / (37 + h) + 1) * (37 + h)}); });
  visit("blocks of panels", [=](index_t, index_t, index_t p) { return one({p / 64 * 64, (p / 64 + 1) * 64}); });
  visit("some rows empty", [=](index_t b, index_t h, index_t p) { return one({0, (p + b + h) % 3 == 0 ? 0 : p + 1}); });
  visit("whole heads empty", [=](index_t, index_t h, index_t p) { return one({0, h < 2 ? 0 : p + 1}); });
  visit("no row sees a key", [=](index_t, index_t, index_t) { return one({}); });
  visit("one key", [=](index_t b, index_t h, index_t p) {
    const index_t key = (p * 7 + h * 11 + b) % keys;
    return one({key, key + 1});
  });
  visit("the last key", [=](index_t, index_t, index_t) { return one({keys - 1, keys}); });
  visit("far apart", [=](index_t, index_t, index_t p) { return runs{interval{0, 2}, {300, 302}, {p, p + 1}, {keys - 3, keys}}; });
  visit("random runs", [=](index_t b, index_t h, index_t p) {
    std::mt19937 generator(seed_of(b, h, p));
    std::uniform_int_distribution<index_t> first(-20, keys), size(-3, 90);
    runs some;
    for (interval& run : some) run.first = first(generator), run.last = run.first + size(generator);
    return some;
  });
}

constexpr lengths shape_of(index_t queries, index_t keys) {
  return {.batch = 2, .heads = 4, .key_heads = 2, .queries = queries, .keys = keys, .channels = 20, .value_channels = 12};
}
// Streamed and packed decoding, prefills; more than a tile of keys, a tile and part of a panel, less than a panel.
constexpr std::array calls{shape_of(1, 1100), shape_of(3, 701), shape_of(20, 601),
                           shape_of(90, 333), shape_of(60, 60), shape_of(150, 1100)};

template <class S>
constexpr double most = std::is_same_v<S, double>  ? 1e-12
                        : std::is_same_v<S, float> ? 2e-5
                                                   : 0.04;

template <class S>
class masks_that_are_data : public testing::Test {};
using storages = testing::Types<float, double, Eigen::bfloat16>;
TYPED_TEST_SUITE(masks_that_are_data, storages);

// The sentence of all tests below: one for each kind of mask and number is enough to compile.
template <class... Masks>
auto with(const Masks&... masks) {
  return ((dot_product{.scale = 0.25} | temperature{1.5}) | ... | masks);
}
template <class Mechanism, class S>
auto gradients_of(const Mechanism& each, const inputs<S>& in, const tensor<S>& d_output) {
  return backward_with_parameters(each, in.q, in.k, in.v, forward(each, in.q, in.k, in.v), d_output);
}

// One head at a time, in double, from the predicate itself.
template <class S, class Sees>
double worst_output(const inputs<S>& in, const auto& got, const lengths& of, Sees sees) {
  double worst = 0;
  for (index_t b = 0; b < of.batch; ++b)
    for (index_t h = 0; h < of.heads; ++h)
      for (index_t i = 0; i < of.queries; ++i) {
        const index_t g = h / (of.heads / of.key_heads), p = of.keys - of.queries + i;
        std::vector<double> output(std::size_t(of.value_channels));
        double sum = 0;
        for (index_t j = 0; j < of.keys; ++j) {
          if (!sees(b, h, p, j)) continue;
          double score = 0;
          for (index_t c = 0; c < of.channels; ++c) score += double(in.q(b, h, i, c)) * double(in.k(b, g, j, c));
          const double weight = std::exp(0.25 * 1.5 * score);
          sum += weight;
          for (index_t c = 0; c < of.value_channels; ++c) output[std::size_t(c)] += weight * double(in.v(b, g, j, c));
        }
        for (index_t c = 0; c < of.value_channels; ++c) {
          const double wanted = sum > 0 ? output[std::size_t(c)] / sum : 0;
          worst = worse(worst, std::abs(double(got.output(b, h, i, c)) - wanted));
        }
        if (sum > 0)
          worst = worse(worst, std::abs(double(got.log_sum_exp(b, h, i)) - std::log(sum)));
        else if (got.log_sum_exp(b, h, i) != -std::numeric_limits<float>::infinity())
          worst = std::numeric_limits<double>::quiet_NaN();
      }
  return worst;
}

TYPED_TEST(masks_that_are_data, see_what_their_bits_say) {
  for (const lengths& of : calls) {
    const auto in = random_inputs<TypeParam>(of);
    for (const unsigned sparse : {1u, 2u, 20u, 300u}) {
      const auto sees = [=](index_t b, index_t h, index_t p, index_t j) {
        return (seed_of(b, h, p) * 2654435761u ^ unsigned(j) * 40503u * 65539u) / 977 % sparse == 0;
      };
      const bit_matrix bits(of.batch, of.heads, of.queries, of.keys, sees);
      const auto got = forward(with(bits), in.q, in.k, in.v);
      EXPECT_LT(worst_output(in, got, of, sees), most<TypeParam>) << of.queries << " queries, a key in " << sparse;
    }
  }
}

TYPED_TEST(masks_that_are_data, have_the_bits_of_masks_that_are_intervals) {
  for (const lengths& of : calls) {
    const auto in = random_inputs<TypeParam>(of);
    const auto d_output = normal<TypeParam>(of.batch, of.heads, of.queries, of.value_channels, 9);
    for_each_pattern(of.keys, [&](const char* name, const runs_of_row& some) {
      const std::string what = std::string(name) + ", " + std::to_string(of.queries) + " queries";
      const bit_matrix bits = as_bits(of, some);
      const auto data = with(bits);
      const auto intervals = with(as_intervals{some});
      const auto got = forward(data, in.q, in.k, in.v), wanted = forward(intervals, in.q, in.k, in.v);
      EXPECT_TRUE(same_bits(got.output, wanted.output) && same_bits(got.log_sum_exp, wanted.log_sum_exp)) << what;
      if (of.queries > 100) return;
      const auto gradients = gradients_of(data, in, d_output);
      const auto others = gradients_of(intervals, in, d_output);
      EXPECT_TRUE(same_bits(gradients.d_query, others.d_query)) << what;
      EXPECT_TRUE(same_bits(gradients.d_key, others.d_key)) << what;
      EXPECT_TRUE(same_bits(gradients.d_value, others.d_value)) << what;
      EXPECT_EQ(get<temperature>(gradients.d_mechanism).factor, get<temperature>(others.d_mechanism).factor) << what;
    });
  }
}

// Together with others a mask that is data intersects.
TYPED_TEST(masks_that_are_data, intersect_with_others) {
  for (const lengths& of : calls) {
    const auto in = random_inputs<TypeParam>(of);
    const auto some = [=](index_t b, index_t h, index_t p, index_t j) { return (j + p + h) % 5 != 0 && (j / 70 + b) % 2 == 0; };
    const auto sees = [=](index_t b, index_t h, index_t p, index_t j) {
      return some(b, h, p, j) && j <= p && (j < 4 || p - j < 500);
    };
    const bit_matrix bits(of.batch, of.heads, of.queries, of.keys, some), all(of.batch, of.heads, of.queries, of.keys, sees);
    const auto wanted = forward(with(all), in.q, in.k, in.v);
    EXPECT_LT(worst_output(in, wanted, of, sees), most<TypeParam>) << of.queries;
    const sinks_and_window window{.sinks = 4, .window = 500};
    const auto got = forward(with(bits, causal{}, window), in.q, in.k, in.v);
    EXPECT_TRUE(same_bits(got.output, wanted.output) && same_bits(got.log_sum_exp, wanted.log_sum_exp)) << of.queries;
  }
}

template <class T>
void expect_gradients() {
  for (const lengths& of : {shape_of(3, 301), shape_of(90, 333)}) {
    const auto in = random_inputs<T>(of);
    const inputs<double> exact{in.q.template cast<double>(), in.k.template cast<double>(), in.v.template cast<double>()};
    const auto d_output = normal<T>(of.batch, of.heads, of.queries, of.value_channels, 9);
    for (const unsigned sparse : {2u, 20u, 300u}) {
      const bit_matrix bits(of.batch, of.heads, of.queries, of.keys, [=](index_t b, index_t h, index_t p, index_t j) {
        return (seed_of(b, h, p) * 2654435761u ^ unsigned(j) * 40503u * 65539u) / 977 % sparse == 0;
      });
      const auto each = with(bits);
      const auto got = gradients_of(each, in, d_output);
      EXPECT_LT(worst_gradient(got, naive_backward(each, exact, tensor<double>(d_output.template cast<double>()))), 10 * most<T>)
          << of.queries << " queries, a key in " << sparse;
    }
  }
}
TEST(gradients_of_masks_that_are_data, are_those_of_the_definition) { expect_gradients<float>(), expect_gradients<double>(); }

// A row is touched by no key that it does not see, and a key by no row that does not see it.
template <class S>
void poison(tensor<S>& of, index_t b, index_t h, index_t token) {
  for (index_t c = 0; c < of.dimension(3); ++c) of(b, h, token, c) = std::numeric_limits<S>::quiet_NaN();
}
template <class S>
bool same_row(const tensor<S>& a, const tensor<S>& b, index_t t, index_t h, index_t token) {
  return std::memcmp(&a(t, h, token, 0), &b(t, h, token, 0), sizeof(S) * std::size_t(a.dimension(3))) == 0;
}

TYPED_TEST(masks_that_are_data, keep_hidden_nan_out) {
  for (const lengths& of : {shape_of(3, 301), shape_of(20, 301), shape_of(90, 301)}) {
    const auto in = random_inputs<TypeParam>(of);
    const auto d_output = normal<TypeParam>(of.batch, of.heads, of.queries, of.value_channels, 9);
    const bit_matrix bits(of.batch, of.heads, of.queries, of.keys, [=](index_t b, index_t h, index_t p, index_t j) {
      return j != 77 && (seed_of(b, h, p) * 2654435761u ^ unsigned(j) * 40503u * 65539u) / 977 % 3 == 0;
    });
    const auto sees = [&](index_t b, index_t h, index_t i, index_t j) {
      return contains(bits({.position = of.keys - of.queries + i, .head = h, .batch = b}), j);
    };
    const auto each = with(bits);
    const auto clean = forward(each, in.q, in.k, in.v);
    const auto gradients = gradients_of(each, in, d_output);
    for (const index_t key : {0, 63, 64, 77, 299, 300}) {
      auto bad = in;
      poison(bad.k, 1, 0, key), poison(bad.v, 1, 0, key);
      const auto touched = forward(each, bad.q, bad.k, bad.v);
      const auto d_touched = gradients_of(each, bad, d_output);
      for (index_t b = 0; b < 2; ++b)
        for (index_t h = 0; h < 4; ++h)
          for (index_t i = 0; i < of.queries; ++i) {
            if (b == 1 && h < 2 && sees(b, h, i, key)) {
              ASSERT_TRUE(std::isnan(float(touched.output(b, h, i, 0)))) << "row " << i << " sees key " << key;
              continue;
            }
            ASSERT_TRUE(same_row(touched.output, clean.output, b, h, i)) << "row " << i << " key " << key;
            ASSERT_EQ(touched.log_sum_exp(b, h, i), clean.log_sum_exp(b, h, i)) << "row " << i << " key " << key;
            ASSERT_TRUE(same_row(d_touched.d_query, gradients.d_query, b, h, i)) << "row " << i << " key " << key;
          }
      if (key == 77) {
        EXPECT_TRUE(same_bits(d_touched.d_key, gradients.d_key) && same_bits(d_touched.d_value, gradients.d_value));
      }
    }
    for (const index_t row : {index_t(0), of.queries / 2, of.queries - 1}) {
      auto bad = in;
      auto d_bad = d_output;
      poison(bad.q, 0, 3, row), poison(d_bad, 0, 3, row);
      const auto d_touched = gradients_of(each, bad, d_bad);
      for (index_t g = 0; g < 2; ++g)
        for (index_t j = 0; j < of.keys; ++j) {
          const bool seen = g == 1 && sees(0, 3, row, j);
          ASSERT_EQ(same_row(d_touched.d_key, gradients.d_key, 0, g, j), !seen) << "row " << row << " key " << j;
          ASSERT_EQ(same_row(d_touched.d_value, gradients.d_value, 0, g, j), !seen) << "row " << row << " key " << j;
        }
    }
  }
}

// Parts of the keys, which begin anywhere, see their part of the bits.
TEST(parts_of_masks_that_are_data, merge_into_the_whole) {
  for (const lengths& of : {shape_of(3, 701), shape_of(90, 701)}) {
    const auto in = random_inputs<float>(of);
    const bit_matrix bits(of.batch, of.heads, of.queries, of.keys, [](index_t b, index_t h, index_t p, index_t j) {
      return p % 9 != 0 && (seed_of(b, h, p) * 2654435761u ^ unsigned(j) * 40503u * 65539u) / 977 % 3 == 0 && j / 100 != 2;
    });
    const auto each = rope{} | dot_product{} | log_n{.trained = 16} | scale_invariant{} | alibi{} | bits;
    const auto part = [&](index_t from, index_t to) {
      const auto tokens = [&](const tensor<float>& t) {
        return view<const float>{t.data() + from * t.dimension(3),
                                 {of.batch, of.key_heads, to - from, t.dimension(3)},
                                 {of.key_heads * of.keys * t.dimension(3), of.keys * t.dimension(3), t.dimension(3), 1}};
      };
      return forward(each, in.q, tokens(in.k), tokens(in.v),
                     {.first_query = of.keys - of.queries, .first_key = from, .all_keys = of.keys});
    };
    const auto whole = forward(each, in.q, in.k, in.v), exact = part(0, of.keys);
    EXPECT_TRUE(same_bits(whole.output, exact.output));
    EXPECT_LT(worst_difference(whole.output, reference::attention(each, in.q, in.k, in.v).output), 2e-5);
    const auto merged = merge(merge(part(0, 37), part(37, 201)), merge(part(201, 260), part(260, 701)));
    EXPECT_LT(worst_difference(merged.output, whole.output), 1e-5);
    EXPECT_LT(worst_difference(merged.log_sum_exp, whole.log_sum_exp), 1e-5);
  }
}

}  // namespace

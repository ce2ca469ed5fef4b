// Texts of different lengths, padded or packed: each has the bits that it has alone, forward and backward.
#include <array>
#include <cmath>
#include <limits>
#include <vector>

#include <gtest/gtest.h>

#include "support/devices.hpp"
#include "support/mechanisms.hpp"
#include "support/packed.hpp"
#include "support/tensors.hpp"

namespace {

using namespace testing_support;
using namespace longspan;

constexpr std::size_t texts = 6;
// Some texts are prefilled, some decoded; one has no keys, one no queries, and one more queries than keys.
constexpr std::array<index_t, texts> queries{333, 1, 40, 0, 7, 60}, keys{333, 290, 0, 20, 301, 45};
constexpr lengths padded{
    .batch = texts, .heads = 2, .key_heads = 1, .queries = 340, .keys = 350, .channels = 12, .value_channels = 10};

tensor<float> part(const tensor<float>& t, index_t b, index_t first, index_t count) {
  return t.slice(Eigen::array<Eigen::Index, 4>{b, 0, first, 0},
                 Eigen::array<Eigen::Index, 4>{1, t.dimension(1), count, t.dimension(3)});
}
void expect_all(const tensor<float>& t, float value) {
  for (index_t i = 0; i < t.size(); ++i) EXPECT_EQ(t.data()[i], value);
}

// What a text has alone.
struct alone {
  inputs<float> in;
  tensor<float> d_output;
};

// The texts one behind the other, and where each begins.
struct packed_texts {
  inputs<float> in;
  tensor<float> d_output;
  std::array<index_t, texts + 1> query_starts = starts_of(queries), key_starts = starts_of(keys);
};

struct batches {
  inputs<float> in = random_inputs<float>(padded);
  tensor<float> d_output = normal<float>(padded.batch, padded.heads, padded.queries, padded.value_channels, 9);
  std::vector<alone> each;
  packed_texts packed;

  batches() {
    packed.in = {testing_support::packed(in.q, queries), testing_support::packed(in.k, keys),
                 testing_support::packed(in.v, keys)};
    packed.d_output = testing_support::packed(d_output, queries);
    for (index_t b = 0; b < index_t(texts); ++b) {
      const index_t n = queries[std::size_t(b)], m = keys[std::size_t(b)];
      each.push_back({{part(in.q, b, 0, n), part(in.k, b, 0, m), part(in.v, b, 0, m)}, part(d_output, b, 0, n)});
    }
    poison_padding(in.q, queries), poison_padding(d_output, queries), poison_padding(in.k, keys), poison_padding(in.v, keys);
  }
  placement where_padded() const { return {.key_lengths = keys, .query_lengths = queries}; }
  placement where_packed() const { return {.query_starts = packed.query_starts, .key_starts = packed.key_starts}; }
};

// Of one type: every further one, that of a call without a device too, would be compiled for each mechanism.
template <class Visit>
void for_each_device(Visit visit) {
  visit(std_threads{1}), visit(std_threads{3});
}
constexpr std_threads alone_by{1};

// What a function makes of each text alone.
template <class Function>
auto one_by_one(const batches& of, Function function) {
  std::vector<decltype(function(of.each[0]))> made;
  for (const alone& each : of.each) made.push_back(function(each));
  return made;
}
template <class Mechanism>
auto forward_one_by_one(const Mechanism& mechanism, const batches& of) {
  return one_by_one(of, [&](const alone& own) { return forward(alone_by, mechanism, own.in.q, own.in.k, own.in.v); });
}

template <class Attended>
void expect_log_sum_exp(const Attended& got, index_t b, index_t first, const Attended& wanted) {
  for (index_t h = 0; h < 2; ++h)
    for (index_t i = 0; i < wanted.log_sum_exp.dimension(2); ++i)
      EXPECT_EQ(got.log_sum_exp(b, h, first + i), wanted.log_sum_exp(0, h, i)) << "text " << b << " row " << i;
}

TEST(texts, padded_have_the_bits_that_they_have_alone) {
  const batches of;
  for_each_kind_of_mechanism([&](const char* name, const auto& mechanism) {
    const auto each = forward_one_by_one(mechanism, of);
    for_each_device([&](const auto& device) {
      const auto got = forward(device, mechanism, of.in.q, of.in.k, of.in.v, of.where_padded());
      for (index_t b = 0; b < index_t(texts); ++b) {
        const index_t n = queries[std::size_t(b)];
        const auto& wanted = each[std::size_t(b)];
        EXPECT_TRUE(same_bits(part(got.output, b, 0, n), wanted.output)) << name << " text " << b;
        expect_log_sum_exp(got, b, 0, wanted);
        expect_all(part(got.output, b, n, padded.queries - n), 0);
        EXPECT_TRUE(n == padded.queries || got.log_sum_exp(b, 1, n) == -std::numeric_limits<float>::infinity());
      }
    });
  });
}

TEST(texts, packed_have_the_bits_that_they_have_alone) {
  const batches of;
  for_each_kind_of_mechanism([&](const char* name, const auto& mechanism) {
    const auto each = forward_one_by_one(mechanism, of);
    for_each_device([&](const auto& device) {
      const auto got = forward(device, mechanism, of.packed.in.q, of.packed.in.k, of.packed.in.v, of.where_packed());
      for (std::size_t t = 0; t < texts; ++t) {
        const auto& wanted = each[t];
        EXPECT_TRUE(same_bits(part(got.output, 0, of.packed.query_starts[t], queries[t]), wanted.output))
            << name << " text " << t;
        expect_log_sum_exp(got, 0, of.packed.query_starts[t], wanted);
      }
    });
  });
}

TEST(texts, have_the_gradients_that_they_have_alone) {
  const batches of;
  for_each_kind_of_mechanism([&](const char* name, const auto& mechanism) {
    const auto each = one_by_one(of, [&](const alone& own) {
      const auto& [q, k, v] = own.in;
      return backward(alone_by, mechanism, q, k, v, forward(alone_by, mechanism, q, k, v), own.d_output);
    });
    for_each_device([&](const auto& device) {
      const auto kept = forward(device, mechanism, of.in.q, of.in.k, of.in.v, of.where_padded());
      const auto got = backward(device, mechanism, of.in.q, of.in.k, of.in.v, kept, of.d_output, of.where_padded());
      const auto& packed = of.packed;
      const auto also_kept = forward(device, mechanism, packed.in.q, packed.in.k, packed.in.v, of.where_packed());
      const auto also =
          backward(device, mechanism, packed.in.q, packed.in.k, packed.in.v, also_kept, packed.d_output, of.where_packed());
      for (index_t b = 0; b < index_t(texts); ++b) {
        const auto t = std::size_t(b);
        const index_t n = queries[t], m = keys[t];
        const auto& wanted = each[t];
        EXPECT_TRUE(same_bits(part(got.d_query, b, 0, n), wanted.d_query)) << name << " text " << b;
        EXPECT_TRUE(same_bits(part(got.d_key, b, 0, m), wanted.d_key)) << name << " text " << b;
        EXPECT_TRUE(same_bits(part(got.d_value, b, 0, m), wanted.d_value)) << name << " text " << b;
        expect_all(part(got.d_query, b, n, padded.queries - n), 0);
        expect_all(part(got.d_key, b, m, padded.keys - m), 0), expect_all(part(got.d_value, b, m, padded.keys - m), 0);
        EXPECT_TRUE(same_bits(part(also.d_query, 0, packed.query_starts[t], n), wanted.d_query)) << name << " text " << b;
        EXPECT_TRUE(same_bits(part(also.d_key, 0, packed.key_starts[t], m), wanted.d_key)) << name << " text " << b;
        EXPECT_TRUE(same_bits(part(also.d_value, 0, packed.key_starts[t], m), wanted.d_value)) << name << " text " << b;
      }
    });
  });
}

// Of all texts together: the sum of what each gives alone, up to rounding.
TEST(texts, have_gradients_of_learned_numbers) {
  const batches of;
  const auto mechanism = dot_product{} | ss_max{.scale = {0.4, 0.3}} | causal{} | sink{{0.5, -1}};
  const auto gradient = [&](const inputs<float>& in, const tensor<float>& d_output, const placement& where) {
    const auto kept = forward(mechanism, in.q, in.k, in.v, where);
    std::vector<double> numbers;
    const auto all = backward_with_parameters(mechanism, in.q, in.k, in.v, kept, d_output, where);
    for_each_learned(all.d_mechanism, [&](const double& number) { numbers.push_back(number); });
    return numbers;
  };
  const auto got = gradient(of.in, of.d_output, of.where_padded()),
             also = gradient(of.packed.in, of.packed.d_output, of.where_packed());
  EXPECT_EQ(got, also);
  std::vector<double> wanted(got.size());
  for (const auto& own : of.each) {
    const auto one = gradient(own.in, own.d_output, {});
    for (std::size_t n = 0; n < wanted.size(); ++n) wanted[n] += one[n];
  }
  for (std::size_t n = 0; n < wanted.size(); ++n) EXPECT_NEAR(got[n], wanted[n], 1e-9 * std::abs(wanted[n]));
}

TEST(texts, may_be_none) {
  const std::array<index_t, 1> none{0};
  const auto in = random_inputs<float>({.heads = 2, .key_heads = 1, .queries = 0, .keys = 0});
  const placement where{.query_starts = none, .key_starts = none};
  const auto kept = forward(dot_product{} | causal{}, in.q, in.k, in.v, where);
  EXPECT_EQ(kept.output.size(), 0);
  EXPECT_EQ(backward(dot_product{} | causal{}, in.q, in.k, in.v, kept, kept.output, where).d_key.size(), 0);
}

// A mask and a transform are told the text, and where it lies.
struct told {
  std::vector<query_row>* rows;
  interval operator()(const query_row& row) const {
    rows->push_back(row);
    return {0, row.position + 1};
  }
};
TEST(texts, are_told_to_masks) {
  const batches of;
  std::vector<query_row> rows;
  const auto one = [](const tensor<float>& t) { return t; };
  forward(dot_product{} | told{&rows}, one(of.packed.in.q), of.packed.in.k, of.packed.in.v, of.where_packed());
  for (const query_row& row : rows) {
    const auto t = std::size_t(row.text);
    EXPECT_EQ(row.batch, 0);
    EXPECT_EQ(row.keys, keys[t]);
    EXPECT_EQ(row.query - of.packed.query_starts[t], row.position - (keys[t] - queries[t]));
    EXPECT_EQ(row.key(0), of.packed.key_starts[t]);
  }
  EXPECT_EQ(rows.size(), std::size_t(2 * of.packed.query_starts.back()));
  rows.clear();
  forward(dot_product{} | told{&rows}, of.in.q, of.in.k, of.in.v, of.where_padded());
  for (const query_row& row : rows) {
    EXPECT_EQ(row.batch, row.text);
    EXPECT_EQ(row.query, row.position - (keys[std::size_t(row.text)] - queries[std::size_t(row.text)]));
    EXPECT_EQ(row.key(5), 5);
  }
}

// A batch axis of stride 0: many texts read the same keys, once for all of them.
TEST(texts, may_share_their_keys) {
  constexpr index_t many = 30;
  const auto in = random_inputs<float>(
      {.batch = many, .heads = 4, .key_heads = 2, .queries = 2, .keys = 1100, .channels = 32, .value_channels = 16});
  const auto shared = [](const tensor<float>& t) {
    const index_t heads = t.dimension(1), tokens = t.dimension(2), channels = t.dimension(3);
    return view<const float>{t.data(), {many, heads, tokens, channels}, {0, tokens * channels, channels, 1}};
  };
  const auto copies = [](const tensor<float>& t) {
    tensor<float> made = t;
    for (index_t i = 0; i < made.size(); ++i) made.data()[i] = t.data()[i % (made.size() / many)];
    return made;
  };
  const auto check = [&](const auto& mechanism) {
    EXPECT_TRUE(same_bits(forward(mechanism, in.q, shared(in.k), shared(in.v)).output,
                          forward(mechanism, in.q, copies(in.k), copies(in.v)).output));
  };
  check(dot_product{} | alibi{} | causal{});
  check(rope{}.at([](index_t text, index_t place) { return place + text; }) | dot_product{} |
        causal{});  // each text turns its own
}

}  // namespace

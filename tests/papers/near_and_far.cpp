// The methods for longer contexts, which read near and far keys differently, by their definitions: the distance at which a query and a key
// turn, or that the query does not see the key. O(n^2), in double.
#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>
#include <random>
#include <set>

#include <gtest/gtest.h>

#include <longspan/longspan.hpp>

#include "support/tensors.hpp"
#include "support/words.hpp"

namespace {

using namespace testing_support;
using namespace longspan;

using distance = std::optional<double>;
constexpr distance hidden{};
constexpr index_t tokens = 150, channels = 8;

// Rows of queries turned by a distance against keys that are not, and a softmax over what distance_of(i, j) is known for.
template <class DistanceOf>
tensor<double> by_definition(const inputs<double>& in, DistanceOf distance_of, double log_of_trained) {
  tensor<double> output(1, 2, tokens, channels);
  for (index_t h = 0; h < 2; ++h)
    for (index_t i = 0; i < tokens; ++i) {
      std::vector<double> logits(std::size_t(tokens), -HUGE_VAL);
      double sum = 0;
      index_t n = 0;
      for (index_t j = 0; j <= i; ++j) {
        const distance t = distance_of(i, j);
        if (!t) continue;
        double score = 0;
        for (index_t c = 0; c < channels / 2; ++c) {
          const double angle = *t * std::pow(10000., -2. * double(c) / double(channels));
          const double x = in.q(0, h, i, c), y = in.q(0, h, i, c + channels / 2), a = in.k(0, 0, j, c),
                       b = in.k(0, 0, j, c + channels / 2);
          score += (x * a + y * b) * std::cos(angle) + (x * b - y * a) * std::sin(angle);
        }
        logits[std::size_t(j)] = score / std::sqrt(double(channels));
        ++n;
      }
      for (double& z : logits) sum += z = std::exp(z * std::max(1., std::log(double(n)) / log_of_trained));
      for (index_t c = 0; c < channels; ++c) {
        output(0, h, i, c) = 0;
        for (index_t j = 0; j < tokens; ++j) output(0, h, i, c) += logits[std::size_t(j)] / sum * in.v(0, 0, j, c);
      }
    }
  return output;
}

const auto in = random_inputs<double>(
    {.heads = 2, .key_heads = 1, .queries = tokens, .keys = tokens, .channels = channels, .value_channels = channels});
const auto scored = dot_product{} | log_n{.trained = 16, .clamp = true};

template <class Method, class DistanceOf>
void expect_defined(const Method& method, DistanceOf distance_of) {
  const auto wanted = by_definition(in, distance_of, std::log(16.));
  EXPECT_LT(worst_difference(reference::attention(method, in.q, in.k, in.v).output, wanted), 1e-13);
}

TEST(rerope, turns_by_no_distance_above_the_window) {
  for (const index_t w : {1, 24, 150})
    expect_defined(rerope(w, scored), [=](index_t i, index_t j) { return distance(std::min(i - j, w)); });
  for (const double k : {1., 4., 7.5})
    expect_defined(leaky_rerope(24, k, scored),
                   [=](index_t i, index_t j) { return distance(std::min(double(i - j), 24 + double(i - j - 24) / k)); });
}

TEST(self_extend, counts_far_positions_in_groups) {
  for (const index_t group : {1, 4, 7})
    expect_defined(self_extend(group, 24, scored),
                   [=](index_t i, index_t j) { return distance(i - j < 24 ? i - j : i / group - j / group + 24 - 24 / group); });
}

TEST(lm_infinite, sees_the_first_keys_at_the_trained_length) {
  for (const index_t m : {20, 64})
    expect_defined(lm_infinite(m, 10, scored), [=](index_t i, index_t j) {
      return i - j < m ? distance(i - j) : j < 10 ? distance(m) : hidden;
    });
}

// What the cache of the paper holds when query i comes, in order: distances are counted in it.
TEST(streaming_llm, sees_the_first_keys_right_before_the_window) {
  constexpr index_t sinks = 4, window = 16;
  expect_defined(streaming_llm(sinks, window, scored), [](index_t i, index_t j) {
    std::vector<index_t> held;
    for (index_t key = 0; key <= i; ++key)
      if (key < sinks || i - key < window) held.push_back(key);
    const auto found = std::find(held.begin(), held.end(), j);
    return found == held.end() ? hidden : distance(held.end() - 1 - found);
  });
}

TEST(dual_chunk, knows_no_distance_of_the_trained_length) {
  constexpr index_t chunk = 24, trained = 40;
  const auto method = dual_chunk(chunk, trained, scored);
  const auto distance_of = [](index_t i, index_t j) {
    const index_t before = i / chunk - j / chunk;
    const index_t query = before == 0 ? i % chunk : before == 1 ? std::min(i % chunk + chunk, trained - 1) : trained - 1;
    return distance(query - j % chunk);
  };
  expect_defined(method, distance_of);
  const auto fused = forward(method, in.q, in.k, in.v).output;
  EXPECT_LT(worst_difference(fused, by_definition(in, distance_of, std::log(16.))), 1e-13);
}

// The largest index is as good as no bound.
TEST(methods, of_the_largest_index_are_causal) {
  constexpr index_t most = std::numeric_limits<index_t>::max();
  const auto whole = reference::attention(rope{} | scored | causal{}, in.q, in.k, in.v).output;
  const auto expect_whole = [&](const auto& method) {
    EXPECT_LT(worst_difference(reference::attention(method, in.q, in.k, in.v).output, whole), 1e-13);
    EXPECT_LT(worst_difference(forward(method, in.q, in.k, in.v).output, whole), 1e-13);
  };
  expect_whole(rerope(most, scored));
  expect_whole(leaky_rerope(most, 2, scored));
  expect_whole(self_extend(3, most, scored));
  expect_whole(lm_infinite(most, 10, scored));
  expect_whole(streaming_llm(most, 4, scored));
  expect_whole(streaming_llm(4, most, scored));
  expect_whole(dual_chunk(most - 1, most, scored));
}

// One group holds all far tokens, whose rows turn by their distance to the window's end.
TEST(self_extend, of_one_group_reads_far_tokens_at_one_distance) {
  expect_defined(self_extend(std::numeric_limits<index_t>::max(), 5, scored),
                 [](index_t i, index_t j) { return distance(std::min<index_t>(i - j, 5)); });
}

// Keys are turned alike in all summands of these two, whatever the queries do.
TEST(methods, that_turn_keys_once_are_served_by_a_cache) {
  const auto expect_served = [](const auto& method) {
    kv_cache<double> cache(method, {.key_heads = 1, .channels = channels, .value_channels = channels});
    cache.append(in.k, in.v);
    EXPECT_TRUE(same_bits(forward(method, in.q, cache).output, forward(method, in.q, in.k, in.v).output));
  };
  expect_served(dual_chunk(24, 40, scored));
  expect_served(streaming_llm(4, 16, scored));
}

TEST(pose, skips_positions_between_two_parts_of_a_text) {
  std::mt19937_64 generator(1);
  std::set<index_t> prefixes, skips;
  for (int draw = 0; draw < 2000; ++draw) {
    const auto position = pose(8, 20, generator);
    index_t prefix = 1, skip = position(7) - 7;
    while (prefix < 7 && position(prefix) == prefix) ++prefix;
    EXPECT_EQ(position(0), 0);
    for (index_t place = 1; place < 8; ++place) {
      const index_t step = position(place) - position(place - 1);
      EXPECT_TRUE(step == 1 || (place == prefix && step == 1 + skip)) << place;
    }
    EXPECT_LT(position(7), 20);
    if (skip > 0) prefixes.insert(prefix);
    skips.insert(skip);
  }
  EXPECT_EQ(prefixes.size(), 7u);
  EXPECT_EQ(skips.size(), 13u);
  EXPECT_EQ((rope{}.at(pose(8, 20, generator)).position({.place = 0})), 0);
}

TEST(methods, name_what_they_refuse) {
  std::mt19937 generator(1);
  EXPECT_EQ(words_of([] { rerope(0); }), "rerope: window must be at least 1, not 0");
  EXPECT_EQ(words_of([] { leaky_rerope(0, 2); }), "leaky_rerope: window must be at least 1, not 0");
  EXPECT_EQ(words_of([] { leaky_rerope(8, 0.5); }), "leaky_rerope: factor must be at least 1, not 0.5");
  EXPECT_EQ(words_of([] { self_extend(0, 8); }), "self_extend: group must be at least 1, not 0");
  EXPECT_EQ(words_of([] { self_extend(2, 0); }), "self_extend: window must be at least 1, not 0");
  EXPECT_EQ(words_of([] { lm_infinite(0); }), "lm_infinite: trained must be at least 1, not 0");
  EXPECT_EQ(words_of([] { lm_infinite(8, -1); }), "lm_infinite: sinks must be at least 0, not -1");
  EXPECT_EQ(words_of([] { streaming_llm(-1, 8); }), "streaming_llm: sinks must be at least 0, not -1");
  EXPECT_EQ(words_of([] { streaming_llm(4, 0); }), "streaming_llm: window must be at least 1, not 0");
  EXPECT_EQ(words_of([] { dual_chunk(0, 8); }), "dual_chunk: chunk must be at least 1, not 0");
  EXPECT_EQ(words_of([] { dual_chunk(8, 8); }), "dual_chunk: trained must be above the chunk, not 8");
  EXPECT_EQ(words_of([&] { pose(1, 8, generator); }), "pose: trained must be at least 2, not 1");
  EXPECT_EQ(words_of([&] { pose(8, 7, generator); }), "pose: target must be at least the trained length, not 7");
}

}  // namespace

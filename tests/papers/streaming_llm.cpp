// StreamingLLM (arXiv 2309.17453) as the paper has it: positions are places in a cache that holds the first tokens and the last ones.
#include <algorithm>
#include <cmath>
#include <vector>

#include <gtest/gtest.h>

#include <longspan/longspan.hpp>

#include "support/tensors.hpp"

namespace {

using namespace testing_support;
using namespace longspan;

constexpr index_t sinks = 4, window = 16, channels = 16;

// The last query by the definition: keys of the window at their distance, sinks as if they stood right before the window.
std::vector<double> last_row(const inputs<double>& in, bool in_cache) {
  const index_t tokens = in.k.dimension(2), i = tokens - 1;
  std::vector<double> output(std::size_t(channels), 0.0);
  double sum = 0;
  for (index_t j = 0; j < tokens; ++j) {
    if (j >= sinks && i - j >= window) continue;
    const index_t distance = in_cache && j < sinks ? std::min(i, sinks + window - 1) - j : i - j;
    double score = 0;
    for (index_t c = 0; c < channels / 2; ++c) {
      const double angle = double(distance) * std::pow(10000., -2. * double(c) / double(channels));
      const double x = in.q(0, 0, 0, c), y = in.q(0, 0, 0, c + channels / 2), a = in.k(0, 0, j, c),
                   b = in.k(0, 0, j, c + channels / 2);
      score += (x * a + y * b) * std::cos(angle) + (x * b - y * a) * std::sin(angle);
    }
    const double weight = std::exp(score / std::sqrt(double(channels)));
    sum += weight;
    for (index_t c = 0; c < channels; ++c) output[std::size_t(c)] += weight * in.v(0, 0, j, c);
  }
  for (double& each : output) each /= sum;
  return output;
}

// The tokens that a cache holds.
tensor<double> cached(const tensor<double>& whole) {
  const index_t tokens = whole.dimension(2), held = std::min(tokens, sinks + window);
  tensor<double> made(1, 1, held, channels);
  for (index_t t = 0; t < held; ++t)
    for (index_t c = 0; c < channels; ++c) made(0, 0, t, c) = whole(0, 0, t < sinks ? t : t + tokens - held, c);
  return made;
}

TEST(streaming_llm, in_a_cache_counts_places_in_the_cache) {
  for (const index_t tokens : {3, 20, 21, 100}) {
    const auto in = random_inputs<double>({.queries = 1, .keys = tokens, .channels = channels, .value_channels = channels});
    const auto got = forward(rope{} | dot_product{} | everything{}, in.q, cached(in.k), cached(in.v));
    const auto wanted = last_row(in, true);
    for (index_t c = 0; c < channels; ++c) EXPECT_NEAR(got.output(0, 0, 0, c), wanted[std::size_t(c)], 1e-13) << tokens;
  }
}

TEST(streaming_llm, over_a_whole_text_counts_places_in_the_text) {
  for (const index_t tokens : {3, 20, 21, 100}) {
    const auto in = random_inputs<double>({.queries = 1, .keys = tokens, .channels = channels, .value_channels = channels});
    const auto got = forward(rope{} | dot_product{} | sinks_and_window{.sinks = sinks, .window = window}, in.q, in.k, in.v);
    const auto wanted = last_row(in, false);
    for (index_t c = 0; c < channels; ++c) EXPECT_NEAR(got.output(0, 0, 0, c), wanted[std::size_t(c)], 1e-13) << tokens;
  }
}

}  // namespace

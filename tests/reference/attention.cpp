#include <longspan/reference/attention.hpp>

#include <gtest/gtest.h>

#include <functional>

#include <longspan/longspan.hpp>

#include "support/tensors.hpp"

namespace {

using namespace longspan;
using namespace testing_support;

constexpr double infinity = std::numeric_limits<double>::infinity();
using row = std::vector<double>;

double dot(const row& a, const row& b) {
  double sum = 0;
  for (std::size_t c = 0; c < a.size(); ++c) sum += a[c] * b[c];
  return sum;
}

// A mechanism written out by hand: the logit of a query at i and a key at j, and whether it is seen; n is how many are.
struct by_hand {
  std::function<double(const row& q, const row& k, index_t i, index_t j, index_t n, index_t head)> logit;
  std::function<bool(index_t i, index_t j)> sees;
  std::optional<double> sink = {};
};

struct result {
  row output;
  double log_sum_exp;
};

result attend(const by_hand& mechanism, const inputs<double>& in, index_t b, index_t h, index_t query, index_t position) {
  const index_t g = h / (in.q.dimension(1) / in.k.dimension(1)), keys = in.k.dimension(2);
  const auto at = [&](const tensor<double>& x, index_t head, index_t token) {
    row channels;
    for (index_t c = 0; c < x.dimension(3); ++c) channels.push_back(x(b, head, token, c));
    return channels;
  };
  index_t n = 0;
  for (index_t j = 0; j < keys; ++j) n += mechanism.sees(position, j);
  result made{row(std::size_t(in.v.dimension(3)), 0), mechanism.sink.value_or(-infinity)};
  if (n == 0) return made;
  double sum = mechanism.sink ? std::exp(*mechanism.sink) : 0;
  for (index_t j = 0; j < keys; ++j) {
    if (!mechanism.sees(position, j)) continue;
    const double weight = std::exp(mechanism.logit(at(in.q, h, query), at(in.k, g, j), position, j, n, h));
    sum += weight;
    for (std::size_t c = 0; c < made.output.size(); ++c) made.output[c] += weight * in.v(b, g, j, index_t(c));
  }
  for (double& channel : made.output) channel /= sum;
  made.log_sum_exp = std::log(sum);
  return made;
}

template <class Mechanism>
void expect_by_hand(const Mechanism& mechanism, const by_hand& hand, const lengths& of) {
  const auto in = random_inputs<double>(of);
  const auto got = reference::attention(mechanism, in.q, in.k, in.v);
  for (index_t b = 0; b < of.batch; ++b)
    for (index_t h = 0; h < of.heads; ++h)
      for (index_t i = 0; i < of.queries; ++i) {
        const result wanted = attend(hand, in, b, h, i, i + of.keys - of.queries);
        for (index_t c = 0; c < of.value_channels; ++c) EXPECT_NEAR(got.output(b, h, i, c), wanted.output[std::size_t(c)], 1e-12);
        if (wanted.log_sum_exp == -infinity)
          EXPECT_EQ(got.log_sum_exp(b, h, i), -infinity);
        else
          EXPECT_NEAR(got.log_sum_exp(b, h, i), wanted.log_sum_exp, 1e-12);
      }
}

const lengths some{.batch = 2, .heads = 4, .key_heads = 2, .queries = 5, .keys = 7, .channels = 4, .value_channels = 3};
const auto plain = [](const row& q, const row& k, index_t, index_t, index_t, index_t) { return dot(q, k) / 2; };
const auto up_to_itself = [](index_t i, index_t j) { return j <= i; };

TEST(reference, is_the_softmax_of_scaled_dot_products) {
  expect_by_hand(dot_product{} | everything{}, {plain, [](index_t, index_t) { return true; }}, some);
  expect_by_hand(dot_product{} | causal{}, {plain, up_to_itself}, some);
  expect_by_hand(dot_product{} | causal{} | sink{0.3}, {plain, up_to_itself, 0.3}, some);
  expect_by_hand(dot_product{} | causal{} | sliding_window{2}, {plain, [](index_t i, index_t j) { return j <= i && i - j <= 2; }},
                 some);
}

TEST(reference, leaves_rows_that_see_nothing) {
  lengths more_queries = some;
  more_queries.queries = 11;
  expect_by_hand(dot_product{} | causal{}, {plain, up_to_itself}, more_queries);
  expect_by_hand(dot_product{} | causal{} | sink{0.3}, {plain, up_to_itself, 0.3}, more_queries);
}

TEST(reference, transforms_logits_in_the_order_written) {
  expect_by_hand(dot_product{} | log_n{.trained = 4} | softcap{1.5} | alibi{} | causal{},
                 {[](const row& q, const row& k, index_t i, index_t j, index_t n, index_t head) {
                    const double score = dot(q, k) / 2 * std::log(double(n)) / std::log(4.0);
                    return 1.5 * std::tanh(score / 1.5) - std::exp2(-2.0 * double(head + 1)) * double(i - j);
                  },
                  up_to_itself},
                 some);
}

TEST(reference, is_scale_invariant_attention) {
  expect_by_hand(rms_normalize{.epsilon = 0} | dot_product{} | scale_invariant{.tau = 3} | causal{},
                 {[](const row& q, const row& k, index_t i, index_t j, index_t, index_t) {
                    const double growth = std::log(1 + double(i - j) / 3), cosine = dot(q, k) / std::sqrt(dot(q, q) * dot(k, k));
                    return std::sqrt(1 + 2 * growth) * cosine * 4 / 2 - 2 * growth;
                  },
                  up_to_itself},
                 some);
}

// Rotated rows score by the angle between their positions.
TEST(reference, turns_rows_to_their_positions) {
  expect_by_hand(rope{.base = 100, .pairing = pairing::interleaved} | cosine{} | cos_scale{5} | causal{},
                 {[](const row& q, const row& k, index_t i, index_t j, index_t, index_t) {
                    double sum = 0;
                    for (std::size_t c = 0; c < 4; c += 2) {
                      const double angle = double(i - j) * std::pow(100, -double(c) / 4);
                      sum += (q[c] * k[c] + q[c + 1] * k[c + 1]) * std::cos(angle) +
                             (q[c] * k[c + 1] - q[c + 1] * k[c]) * std::sin(angle);
                    }
                    return 5 * sum / ((std::sqrt(dot(q, q)) + 1e-9) * (std::sqrt(dot(k, k)) + 1e-9));
                  },
                  up_to_itself},
                 some);
}

TEST(reference, reads_any_storage_and_answers_in_double) {
  const auto in = random_inputs<float>(some);
  const auto exact = inputs<double>{in.q.cast<double>(), in.k.cast<double>(), in.v.cast<double>()};
  const auto got = reference::attention(dot_product{} | causal{}, in.q, in.k, in.v);
  static_assert(std::is_same_v<decltype(got.output)::Scalar, double> &&
                std::is_same_v<decltype(got.log_sum_exp)::Scalar, double>);
  EXPECT_TRUE(same_bits(got.output, reference::attention(dot_product{} | causal{}, exact.q, exact.k, exact.v).output));
}

TEST(reference, of_a_part_of_the_keys_counts_all_that_a_row_sees) {
  const auto in = random_inputs<double>({.queries = 2, .keys = 4});
  const auto mechanism = dot_product{} | ss_max{} | causal{} | sink{1};
  const auto got = reference::attention(mechanism, in.q, in.k, in.v, {.first_query = 8, .first_key = 3, .all_keys = 10});
  double sum = 0;
  for (index_t j = 0; j < 4; ++j) {
    double score = 0;
    for (index_t c = 0; c < 8; ++c) score += in.q(0, 0, 0, c) * in.k(0, 0, j, c) / std::sqrt(8);
    sum += std::exp(score * std::log(9));  // positions 0 to 8, and no sink, which stands with key 0
  }
  EXPECT_NEAR(got.log_sum_exp(0, 0, 0), std::log(sum), 1e-12);
}

TEST(reference, keeps_nan_that_is_seen_and_hides_the_rest) {
  auto in = random_inputs<double>({.queries = 6, .keys = 6});
  in.k(0, 0, 3, 2) = std::nan("");
  in.v(0, 0, 3, 1) = infinity;
  const auto got = reference::attention(dot_product{} | causal{}, in.q, in.k, in.v);
  for (index_t i = 0; i < 6; ++i)
    for (index_t c = 0; c < 8; ++c) EXPECT_EQ(std::isnan(got.output(0, 0, i, c)), i >= 3) << i;
}

}  // namespace

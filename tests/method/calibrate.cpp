// A temperature fitted to samples: the entropies that it makes, by their definition.
#include <longspan/method/calibrate.hpp>

#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <limits>
#include <vector>

#include <longspan/longspan.hpp>

#include "support/tensors.hpp"
#include "support/words.hpp"

namespace {

using namespace longspan;
using namespace testing_support;

constexpr index_t heads = 4, tokens = 300, channels = 16;
const calibration at{.trained = 64, .lengths = {100, 300}, .rows = 5};

// Queries whose size differs from head to head, so that some are sharp and some blurred.
inputs<float> samples(index_t batch = 2, index_t queries = tokens) {
  auto in = random_inputs<float>(
      {.batch = batch, .heads = heads, .key_heads = 2, .queries = queries, .keys = tokens, .channels = channels});
  for (index_t b = 0; b < batch; ++b)
    for (index_t h = 0; h < heads; ++h)
      for (index_t i = 0; i < queries; ++i)
        for (index_t c = 0; c < channels; ++c) in.q(b, h, i, c) *= float(h + 1);
  return in;
}

double entropy(const std::vector<double>& logits) {
  double sum = 0, result = 0;
  for (const double z : logits) sum += std::exp(z);
  for (const double z : logits) result -= std::exp(z) / sum * (z - std::log(sum));
  return result;
}

// The mean entropy of the rows that count for a length, causal, with rope by its definition; logit(factor * score, t).
template <class Logit>
double mean_entropy(const inputs<float>& in, index_t h, index_t n, double factor, Logit logit) {
  double sum = 0;
  index_t count = 0;
  const index_t queries = in.q.dimension(2);
  for (index_t b = 0; b < in.q.dimension(0); ++b)
    for (index_t i = std::max<index_t>(n - at.rows, tokens - queries); i < n; ++i, ++count) {
      std::vector<double> logits;
      for (index_t j = 0; j <= i; ++j) {
        double score = 0;
        for (index_t c = 0; c < channels / 2; ++c) {
          const double angle = double(i - j) * std::pow(10000., -2. * double(c) / double(channels));
          const index_t row = i - (tokens - queries);
          const double x = double(in.q(b, h, row, c)), y = double(in.q(b, h, row, c + channels / 2)),
                       u = double(in.k(b, h / 2, j, c)), w = double(in.k(b, h / 2, j, c + channels / 2));
          score += (x * u + y * w) * std::cos(angle) + (x * w - y * u) * std::sin(angle);
        }
        logits.push_back(logit(factor * score / std::sqrt(double(channels)), i - j));
      }
      sum += entropy(logits);
    }
  return sum / double(count);
}

template <class Logit>
void expect_the_entropy_of_the_trained_length(const calibrated_temperature& fitted, const inputs<float>& in, Logit logit) {
  ASSERT_EQ(fitted.lengths(), (std::vector<index_t>{64, 100, 300}));
  for (index_t h = 0; h < heads; ++h) {
    const double wanted = mean_entropy(in, h, 64, 1, logit);
    EXPECT_EQ(fitted.factor(64, h), 1);
    for (const index_t n : at.lengths) {
      EXPECT_NEAR(mean_entropy(in, h, n, fitted.factor(n, h), logit), wanted, 1e-9) << "head " << h << ", n " << n;
      EXPECT_GT(std::abs(mean_entropy(in, h, n, 1, logit) - wanted), 1e-3) << "head " << h << ", n " << n;
    }
  }
}

TEST(calibrate, keeps_the_entropy_of_the_trained_length) {
  const auto in = samples();
  const auto fitted = calibrate(rope{} | dot_product{} | causal{}, in.q, in.k, at);
  expect_the_entropy_of_the_trained_length(fitted, in, [](double z, index_t) { return z; });
}

// The part stands right behind the score: what follows it is made of tempered scores.
TEST(calibrate, tempers_the_scores_before_what_follows_them) {
  const auto in = samples();
  const auto fitted = calibrate(
      rope{} | dot_product{} | by_distance{[](index_t t) { return -0.02 * double(t); }} | softcap{50} | causal{}, in.q, in.k, at);
  expect_the_entropy_of_the_trained_length(fitted, in,
                                           [](double z, index_t t) { return 50 * std::tanh((z - 0.02 * double(t)) / 50); });
}

// Of queries that are the last of their text, and of a sum, whose rows count the keys of both sentences. The same softmax.
TEST(calibrate, takes_parts_of_texts_and_sums) {
  const auto in = samples(1), last = [&] {
    auto part = samples(1);
    part.q = tensor<float>(
        part.q.slice(Eigen::array<Eigen::Index, 4>{0, 0, 40, 0}, Eigen::array<Eigen::Index, 4>{1, heads, 260, channels}));
    return part;
  }();
  const auto whole = calibrate(rope{} | dot_product{} | causal{}, in.q, in.k, at);
  EXPECT_EQ(calibrate(rope{} | dot_product{} | causal{}, last.q, last.k, at).factors(), whole.factors());
  const auto halves = calibrate(
      (rope{} | dot_product{} | sliding_window{49}) + (rope{} | dot_product{} | causal{} | at_least{50}), in.q, in.k, at);
  for (std::size_t h = 0; h < std::size_t(heads); ++h)
    for (std::size_t l = 0; l < 3; ++l) EXPECT_NEAR(halves.factors()[h][l], whole.factors()[h][l], 1e-8);
}

// A batch of padded texts is sampled as one of its parts alone.
TEST(calibrate, takes_texts_of_several_lengths) {
  const auto in = samples();
  const std::array<index_t, 2> lengths{tokens, 0};
  const auto alone = samples(1);
  const auto first =
      calibrate(rope{} | dot_product{} | causal{}, in.q, in.k, at, placement{.key_lengths = lengths, .query_lengths = lengths});
  const tensor<float> q =
      in.q.slice(Eigen::array<Eigen::Index, 4>{0, 0, 0, 0}, Eigen::array<Eigen::Index, 4>{1, heads, tokens, channels});
  const tensor<float> k =
      in.k.slice(Eigen::array<Eigen::Index, 4>{0, 0, 0, 0}, Eigen::array<Eigen::Index, 4>{1, 2, tokens, channels});
  EXPECT_EQ(first.factors(), calibrate(rope{} | dot_product{} | causal{}, q, k, at).factors());
}

// No temperature changes the entropy of logits that are all alike.
TEST(calibrate, does_what_it_can_for_a_head_without_logits) {
  auto in = samples();
  in.q.setZero();
  const auto fitted = calibrate(rope{} | dot_product{} | causal{}, in.q, in.k, at);
  for (index_t h = 0; h < heads; ++h) EXPECT_EQ(fitted.factor(300, h), 1);
}

// Every row attends to its own key alone, which is an entropy of 0 at every length.
TEST(calibrate, leaves_a_head_as_it_is_whose_entropy_is_what_is_wanted) {
  inputs<float> in = random_inputs<float>({.queries = tokens, .keys = tokens, .channels = channels});
  for (index_t i = 0; i < tokens; ++i) {
    float size = 0;
    for (index_t c = 0; c < channels; ++c) size += in.q(0, 0, i, c) * in.q(0, 0, i, c);
    for (index_t c = 0; c < channels; ++c) in.q(0, 0, i, c) *= 3000 / std::sqrt(size), in.k(0, 0, i, c) = in.q(0, 0, i, c);
  }
  EXPECT_EQ(calibrate(rope{} | dot_product{} | causal{}, in.q, in.k, at).factors(),
            (std::vector<std::vector<double>>{{1, 1, 1}}));
}

// The kernel attends with what was fitted, in a prefill as in the definition.
TEST(calibrate, makes_a_part_of_any_mechanism) {
  const auto in =
      random_inputs<double>({.heads = heads, .key_heads = 2, .queries = tokens, .keys = tokens, .channels = channels});
  const auto fitted = calibrate(rope{} | dot_product{} | causal{}, in.q, in.k, at);
  const auto whole = rope{} | dot_product{} | fitted | softcap{20} | causal{};
  EXPECT_LT(worst_difference(forward(whole, in.q, in.k, in.v).output, reference::attention(whole, in.q, in.k, in.v).output),
            1e-13);
}

TEST(calibrate, names_what_it_refuses) {
  auto in = samples();
  const auto refused = [&](const calibration& where) {
    return words_of([&] { calibrate(rope{} | dot_product{} | causal{}, in.q, in.k, where); });
  };
  EXPECT_EQ(refused({.trained = 1, .lengths = {100}}), "calibrate: trained must be a length of at least 2, not 1");
  EXPECT_EQ(refused({.trained = 64, .lengths = {}}), "calibrate: lengths must be one or more, not 0");
  EXPECT_EQ(refused({.trained = 64, .lengths = {64}}), "calibrate: lengths must be above the trained one and ascending, not 64");
  EXPECT_EQ(refused({.trained = 64, .lengths = {100, 99}}),
            "calibrate: lengths must be above the trained one and ascending, not 99");
  EXPECT_EQ(refused({.trained = 64, .lengths = {100}, .rows = 0}), "calibrate: rows must be at least 1, not 0");
  EXPECT_EQ(refused({.trained = 64, .lengths = {400}}),
            "calibrate: no row of the samples sees as many keys at a length of 400, head 0");
  EXPECT_EQ(words_of([&] { calibrate(rope{} | dot_product{} | sliding_window{63}, in.q, in.k, at); }),
            "calibrate: no row of the samples sees as many keys at a length of 100, head 0");
  // Nor one that sees a few keys less.
  EXPECT_EQ(refused({.trained = 64, .lengths = {301}}),
            "calibrate: no row of the samples sees as many keys at a length of 301, head 0");
  EXPECT_EQ(words_of([&] { calibrate(rope{} | dot_product{} | sliding_window{98}, in.q, in.k, at); }),
            "calibrate: no row of the samples sees as many keys at a length of 100, head 0");
  in.k(1, 1, 90, 3) = std::numeric_limits<float>::quiet_NaN();
  EXPECT_EQ(refused(at), "calibrate: logits are not finite at a length of 100, head 2");
  EXPECT_THROW(calibrate(rope{} | dot_product{} | causal{}, in.q, in.v, at), shape_error);
}

}  // namespace

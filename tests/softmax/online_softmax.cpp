#include <longspan/softmax/online_softmax.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <vector>

namespace {

using namespace longspan;
using namespace longspan::detail;

using numbers_of_row = std::vector<double>;
constexpr double infinity = std::numeric_limits<double>::infinity(), nan = std::numeric_limits<double>::quiet_NaN();

// Weights times values over their sum, and the log of that sum.
struct answer {
  double output = 0, log_sum_exp = 0;
};

double value_of(std::size_t key) { return std::cos(double(3 * key)); }

answer definition(const numbers_of_row& logits, std::optional<double> sink) {
  double top = sink.value_or(-infinity), sum = 0;
  answer made;
  for (const double logit : logits) top = std::max(top, logit);
  if (sink) sum = std::exp(*sink - top);
  for (std::size_t j = 0; j < logits.size(); ++j) {
    const double weight = std::exp(logits[j] - top);
    sum += weight, made.output += weight * value_of(j);
  }
  return {made.output / sum, top + std::log(sum)};
}

// The softmax of a few logits and the output that goes with it. What they lack to whole batches is -infinity, as where a mask cuts.
template <class T>
struct tile {
  softmax_part<T> part;
  T output = 0;

  tile(const numbers_of_row& logits, std::size_t first, std::size_t last) {
    constexpr std::size_t lanes = std::size_t(simd::lanes<batch<T>>);
    std::vector<T> weights((last - first + lanes - 1) / lanes * lanes, -std::numeric_limits<T>::infinity());
    std::copy(logits.begin() + std::ptrdiff_t(first), logits.begin() + std::ptrdiff_t(last), weights.begin());
    part.maximum = *std::ranges::max_element(weights);
    for (std::size_t at = 0; at < weights.size(); at += lanes) {
      const batch<T> weight = part.weights(simd::load<batch<T>>(weights.data() + at));
      part.sum = part.sum + weight;
      simd::store(weights.data() + at, weight);
    }
    for (std::size_t j = first; j < last; ++j) output += weights[j - first] * T(value_of(j));
  }
};

// The keys arrive in tiles that end at `ends`.
template <class T>
answer in_tiles(const numbers_of_row& logits, const std::vector<std::size_t>& ends, std::optional<double> sink) {
  online_softmax<T> softmax(sink);
  T output = 0;
  std::size_t first = 0;
  for (const std::size_t last : ends) {
    const tile<T> next(logits, first, last);
    const auto share = softmax.merge(next.part);
    output = share.before * output + share.part * next.output;
    first = last;
  }
  return {double(output / softmax.sum()), double(softmax.log_sum_exp())};
}

// Every way to cut a row into tiles, none of them empty.
template <class Visit>
void for_every_split(std::size_t length, Visit visit) {
  for (std::size_t cuts = 0; cuts < std::size_t(1) << (length - 1); ++cuts) {
    std::vector<std::size_t> ends;
    for (std::size_t j = 1; j < length; ++j)
      if (cuts >> (j - 1) & 1) ends.push_back(j);
    ends.push_back(length);
    visit(ends);
  }
}

const std::vector<numbers_of_row> rows{{0.5},
                                       {-1, 2, 0.25, 2, -30, 1},
                                       {1, 2, 3, 4, 5, 6},
                                       {6, 5, 4, 3, 2, 1},
                                       {0, 0, 0, 0},
                                       {-infinity, -infinity, 1, -infinity, 3},
                                       {-800, -790, -805},
                                       {800, 790, 805},
                                       {-1e4, 1e4, 0},
                                       {100, -infinity, 100.5, -100}};
const std::vector<std::optional<double>> sinks{{}, 0.0, -3.0, 9.0, 820.0};

template <class T>
class online_softmax_test : public testing::Test {};
using numbers = testing::Types<float, double>;
TYPED_TEST_SUITE(online_softmax_test, numbers);

TYPED_TEST(online_softmax_test, is_the_softmax_in_any_split_of_tiles) {
  using T = TypeParam;
  for (const auto& logits : rows)
    for (const auto& sink : sinks)
      for_every_split(logits.size(), [&](const std::vector<std::size_t>& ends) {
        const answer got = in_tiles<T>(logits, ends, sink), wanted = definition(logits, sink);
        const double error = 8 * double(std::numeric_limits<T>::epsilon()), size = 1 + std::abs(wanted.log_sum_exp);
        EXPECT_NEAR(got.output, wanted.output, error * size);
        EXPECT_NEAR(got.log_sum_exp, wanted.log_sum_exp, error * size);
      });
}

TYPED_TEST(online_softmax_test, is_the_softmax_of_many_keys) {
  using T = TypeParam;
  std::mt19937 generator(1);
  std::normal_distribution<double> number(0, 5);
  numbers_of_row logits(1000);
  for (double& logit : logits) logit = number(generator);
  const answer got = in_tiles<T>(logits, {1, 64, 300, 301, 817, 1000}, 2.0), wanted = definition(logits, 2.0);
  const double error = 8 * double(std::numeric_limits<T>::epsilon()) * (1 + std::abs(wanted.log_sum_exp));
  EXPECT_NEAR(got.output, wanted.output, error);
  EXPECT_NEAR(got.log_sum_exp, wanted.log_sum_exp, error);
}

TYPED_TEST(online_softmax_test, of_hidden_keys_alone_weighs_nothing) {
  using T = TypeParam;
  const tile<T> hidden(numbers_of_row(5, -infinity), 0, 5);
  EXPECT_EQ(hidden.part.maximum, -T(infinity));
  EXPECT_EQ(simd::reduce_add(hidden.part.sum), 0);
  online_softmax<T> softmax;
  const auto share = softmax.merge(hidden.part);
  EXPECT_EQ(share.before, 1);
  EXPECT_EQ(share.part, 1);  // of a weight of 0
  EXPECT_EQ(softmax.sum(), 0);
  EXPECT_EQ(softmax.log_sum_exp(), -T(infinity));
}

TYPED_TEST(online_softmax_test, of_a_sink_alone_is_the_sink) {
  using T = TypeParam;
  for (const double sink : {-5.0, 0.0, 3.0, 1000.0}) {
    EXPECT_EQ(online_softmax<T>(sink).sum(), 1);
    EXPECT_NEAR(online_softmax<T>(sink).log_sum_exp(), sink, 4 * std::abs(sink) * double(std::numeric_limits<T>::epsilon()));
  }
}

TYPED_TEST(online_softmax_test, gives_the_larger_of_both_maxima_a_share_of_one) {
  using T = TypeParam;
  online_softmax<T> softmax;
  const auto expect_shares = [&](double maximum, double before, double part) {
    const auto share = softmax.merge({.maximum = T(maximum)});
    EXPECT_NEAR(share.before, before, 4 * double(std::numeric_limits<T>::epsilon()));
    EXPECT_NEAR(share.part, part, 4 * double(std::numeric_limits<T>::epsilon()));
  };
  expect_shares(1, 0, 1);  // nothing was weighed before
  expect_shares(0.5, 1, std::exp(-0.5));
  expect_shares(1, 1, 1);
  expect_shares(3, std::exp(-2.0), 1);
}

// Parts that were computed apart and then merged are the parts merged one by one.
TYPED_TEST(online_softmax_test, has_the_same_bits_wherever_its_parts_were_made) {
  using T = TypeParam;
  const numbers_of_row logits{1, 5, -2, 2, 9, 4};
  const tile<T> left(logits, 0, 2), right(logits, 2, 6);
  online_softmax<T> alone, other, both;
  alone.merge(left.part), other.merge(right.part);
  both.merge(left.part), both.merge(right.part);
  online_softmax<T> merged;
  merged.merge(alone.whole()), merged.merge(other.whole());
  EXPECT_EQ(both.sum(), merged.sum());
  EXPECT_EQ(both.log_sum_exp(), merged.log_sum_exp());
}

// A NaN or an infinity that a row sees reaches its output and its log-sum-exp, wherever it stands and whatever follows it.
TYPED_TEST(online_softmax_test, keeps_what_is_not_a_number) {
  using T = TypeParam;
  for (const double bad : {nan, infinity})
    for (std::size_t at = 0; at < 5; ++at)
      for_every_split(5, [&](const std::vector<std::size_t>& ends) {
        numbers_of_row logits{1, 5, -infinity, 2, 9};
        logits[at] = bad;
        const answer got = in_tiles<T>(logits, ends, {});
        EXPECT_TRUE(std::isnan(got.output)) << bad << " at " << at;
        EXPECT_TRUE(std::isnan(got.log_sum_exp) || got.log_sum_exp == infinity) << bad << " at " << at;
      });
}

}  // namespace

// Learned numbers of functions of the distance, whose gradients are summed along diagonals: by their definition.
#include <longspan/mechanism/distance_learner.hpp>

#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <cstdlib>
#include <tuple>
#include <vector>

#include <longspan/longspan.hpp>

#include "support/devices.hpp"
#include "support/loss.hpp"
#include "support/tensors.hpp"
#include "support/worse.hpp"

namespace {

using namespace longspan;
using namespace testing_support;

// A sum of bumps over the logarithm of the distance, each with a learned weight.
template <std::size_t Count>
struct bumps {
  std::array<learned, Count> weight = {};
  static double bump(std::size_t n, index_t t) {
    const double x = std::log1p(double(std::abs(t))) - 6 * double(n) / double(Count);
    return std::exp(-x * x);
  }
  learned operator()(index_t t) const {
    learned sum = 0.0;
    for (std::size_t n = 0; n < Count; ++n) sum += weight[n] * bump(n, t);
    return sum;
  }
  auto parameters() {
    return std::apply([](auto&... each) { return std::tie(each...); }, weight);
  }
};

// Scale and shift, of numbers for each head and for all.
struct leaning {
  per_head scale, shift;
  learned rate;
  affine operator()(index_t t, index_t head) const {
    return {1 + scale[head] * log1p(std::abs(double(t))), -shift[head] * exp(-rate * std::abs(double(t)))};
  }
  auto parameters() { return std::tie(scale, shift, rate); }
};

// A transform whose numbers its own body learns.
struct bent {
  learned rate;
  auto operator()(const query_row&) const {
    return [rate = rate](auto logit, const auto&) { return logit + tanh(rate * logit); };
  }
  auto parameters() { return std::tie(rate); }
};

template <class Mechanism>
std::vector<double> numbers_of(const Mechanism& mechanism) {
  std::vector<double> numbers;
  for_each_learned(mechanism, [&](double number) { numbers.push_back(number); });
  return numbers;
}

template <class T, class Device, class Mechanism>
Mechanism slopes_of(const Device& device, const Mechanism& mechanism, const inputs<T>& in, const loss& of,
                    const placement& where = {}) {
  return backward_with_parameters(device, mechanism, in.q, in.k, in.v, forward(mechanism, in.q, in.k, in.v, where),
                                  attended{of.d_output, of.d_log_sum_exp}, where)
      .d_mechanism;
}

TEST(distance_learner, has_the_central_differences_of_the_definition) {
  const auto in = random_inputs<double>({.batch = 2, .heads = 4, .key_heads = 2, .queries = 37, .keys = 301, .channels = 12});
  const loss of{normal<double>(2, 4, 37, 8, 4), sums(sums(2, 4, 37).setRandom())};
  const auto expect = [&](const char* name, const auto& mechanism) {
    const auto got = slopes_of<double>(Eigen::DefaultDevice{}, mechanism, in, of);
    const std::vector<double> slopes = numbers_of(got);
    EXPECT_EQ(slopes, numbers_of(slopes_of<double>(std_threads{3}, mechanism, in, of))) << name;
    double worst = 0;
    for (std::size_t n = 0; n < slopes.size(); ++n) {
      const double wanted = difference(1e-4, [&](double offset) {
        auto moved = mechanism;
        std::size_t at = 0;
        for_each_learned(moved, [&](double& number) { number += at++ == n ? offset : 0; });
        return of(moved, in);
      });
      worst = worse(worst, std::abs(slopes[n] - wanted) / (1 + std::abs(wanted)));
    }
    EXPECT_LT(worst, 2e-8) << name;
  };
  expect("shift", dot_product{} | by_distance{bumps<8>{{0.1, 0.2, -0.3, 0.1, 0.5, -0.2, 0.3, -1.0}}} | causal{});
  expect("scale and shift", dot_product{} | by_distance{leaning{{0.1, 0.2, -0.1, 0.05}, 0.4, 0.01}} | sliding_window{200, 20});
  expect("among others", rms_normalize{} | dot_product{} | temperature{0.7} | by_distance{leaning{0.1, {0.4, 1, 2, 3}, 0.01}} |
                             bent{0.3} | scale_invariant{.tau = 7} | softcap{9} | causal{} | sink{{0.1, 0.2, 0.3, 0.4}});
  expect("a sum", (dot_product{} | temperature{0.7} | scale_invariant{.tau = 7} | sliding_window{40}) +
                      (dot_product{} | by_distance{bumps<2>{{0.1, 0.2}}} | bent{0.2} | causal{} | at_least{41} | sink{0.3}));
}

TEST(distance_learner, sums_over_texts) {
  const auto in = random_inputs<double>({.batch = 3, .heads = 2, .key_heads = 1, .queries = 300, .keys = 300});
  const loss of{normal<double>(3, 2, 300, 8, 5), sums(sums(3, 2, 300).setRandom())};
  const auto mechanism = dot_product{} | by_distance{leaning{0.1, {0.4, 1}, 0.01}} | causal{};
  const std::array<index_t, 3> tokens{300, 7, 0};
  const auto together =
      numbers_of(slopes_of<double>(std_threads{3}, mechanism, in, of, placement{.key_lengths = tokens, .query_lengths = tokens}));
  std::vector<double> all(together.size(), 0.0);
  for (index_t b = 0; b < 2; ++b) {
    const Eigen::array<Eigen::Index, 4> first{b, 0, 0, 0};
    const auto text = [&](const tensor<double>& t) {
      return tensor<double>(
          t.slice(first, Eigen::array<Eigen::Index, 4>{1, t.dimension(1), tokens[std::size_t(b)], t.dimension(3)}));
    };
    const sums d_log_sum_exp = of.d_log_sum_exp.slice(Eigen::array<Eigen::Index, 3>{b, 0, 0},
                                                      Eigen::array<Eigen::Index, 3>{1, 2, tokens[std::size_t(b)]});
    const inputs<double> own{text(in.q), text(in.k), text(in.v)};
    const auto alone = numbers_of(slopes_of<double>(Eigen::DefaultDevice{}, mechanism, own, {text(of.d_output), d_log_sum_exp}));
    for (std::size_t n = 0; n < all.size(); ++n) all[n] += alone[n];
  }
  for (std::size_t n = 0; n < all.size(); ++n) EXPECT_NEAR(together[n], all[n], 1e-12 * (1 + std::abs(all[n])));
}

// The logarithm of a weight of 0 at a distance, and its derivatives, are infinite; the weight has no gradient.
struct gapped {
  learned rate, weight;
  learned operator()(index_t t) const { return t == 5 ? rate * log(weight) : -rate * sqrt(double(t)); }
  auto parameters() { return std::tie(rate, weight); }
};

TEST(distance_learner, takes_nothing_from_distances_without_weight) {
  const auto in = random_inputs<double>({.heads = 1, .key_heads = 1, .queries = 20, .keys = 40});
  const loss of{normal<double>(1, 1, 20, 8, 5), sums(sums(1, 1, 20).setRandom())};
  const auto mechanism = dot_product{} | by_distance{gapped{0.5, 0}} | causal{};
  const auto slopes = numbers_of(slopes_of<double>(Eigen::DefaultDevice{}, mechanism, in, of));
  EXPECT_TRUE(std::isfinite(slopes[0]));
  EXPECT_NE(slopes[0], 0);
  EXPECT_EQ(slopes[1], 0);
}

}  // namespace

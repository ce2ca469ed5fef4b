// Figures 1 and 2 of scale-invariant attention (arXiv 2505.17083) by sampling: independent N(0, 1) base logits through fused attention.
#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "papers/given_logits.hpp"

namespace {

using namespace testing_support;
using namespace longspan;
using namespace longspan::detail;

constexpr double infinity = std::numeric_limits<double>::infinity();

const auto none = dot_product{.scale = 1} | causal{};
const auto log_n_of_the_paper = dot_product{.scale = 1} | ss_max{.scale = 0.4} | causal{};  // 0.4 log N
const auto invariant = dot_product{.scale = 1} | scale_invariant{} | causal{};

// A row of figure 1: entropy, weight of the last 100 tokens, and the entropies within [10, 100), [100, 1000) ...
struct printed {
  double entropy, near;
  std::vector<double> ranges;
};

// How many rows stand behind the printed figures, and the largest standard error that ours may have.
struct accuracy {
  double printed_rows, widest;
};

template <class... Parts>
void expect_figure_1(const mechanism<Parts...>& whole, const given_logits& given, const printed& wanted, const accuracy& error,
                     std::string name) {
  name += " of " + std::to_string(given.distances.last);
  const range_statistics all = attend(whole, given, given.distances);
  expect_mean(all.entropy, {wanted.entropy, 0.0005, error.printed_rows}, error.widest, name);
  expect_mean(all.near, {wanted.near, 0.00005, error.printed_rows}, error.widest / 4, name + ", near");
  index_t first = 10;
  for (const double entropy : wanted.ranges) {
    const sample within = attend(whole, given, {first, 10 * first}).entropy;
    expect_mean(within, {entropy, 0.005, error.printed_rows}, error.widest, name + ", from distance " + std::to_string(first));
    first *= 10;
  }
}

// The entropies of single rows scatter by 0.01 to 0.1 untransformed and by 0.5 to 1 under LogN and scale-invariant attention, the weight
// of the last 100 tokens by 0.15 at most: standard errors of 0.02 for 2000 rows, 0.035 for 1000, 0.125 for 100.
TEST(figure_1, holds_at_a_thousand_tokens) {
  const given_logits given({0, 1000}, 2000, 21);
  const accuracy error{2000, 0.02};
  expect_figure_1(none, given, {6.411, .1001, {4.02, 6.31}}, error, "none");
  expect_figure_1(log_n_of_the_paper, given, {3.776, .1012, {2.16, 3.70}}, error, "LogN");
  expect_figure_1(invariant, given, {3.752, .5507, {2.79, 3.46}}, error, "scale-invariant");
}

TEST(figure_1, holds_at_ten_thousand_tokens) {
  const given_logits given({0, 10000}, 1000, 22);
  const accuracy error{2000, 0.035};
  expect_figure_1(none, given, {8.711, .0100, {4.02, 6.30, 8.61}}, error, "none");
  expect_figure_1(log_n_of_the_paper, given, {3.871, .0092, {1.58, 2.56, 3.81}}, error, "LogN");
  expect_figure_1(invariant, given, {4.240, .3717, {2.81, 3.42, 3.91}}, error, "scale-invariant");
}

TEST(figure_1, holds_at_a_hundred_thousand_tokens) {
  const given_logits given({0, 100000}, 100, 23);
  const accuracy error{400, 0.125};
  expect_figure_1(none, given, {11.013, .0010, {4.02, 6.30, 8.61, 10.91}}, error, "none");
  expect_figure_1(log_n_of_the_paper, given, {3.743, .0007, {1.22, 1.83, 2.68, 3.68}}, error, "LogN");
  expect_figure_1(invariant, given, {4.639, .2874, {2.80, 3.38, 3.93, 4.33}}, error, "scale-invariant");
}

// Figure 2: the entropy within [t, 2t), [t, 5t) and [t, 10t), and within the last untransformed, at growing t.
struct scale_row {
  index_t t, texts;
  double widest;  // standard error of our means
  double twofold, fivefold, tenfold, plain;
};

// Rows scatter by 0.35 to 1.1. The printed means lie about long runs as means of some 300 rows do.
TEST(figure_2, the_entropy_of_a_range_hardly_grows_with_its_distance) {
  const scale_row table[] = {{10, 8000, 0.006, 1.520, 2.383, 2.798, 4.023},
                             {100, 4000, 0.012, 2.421, 3.094, 3.403, 6.306},
                             {1000, 800, 0.035, 3.020, 3.607, 3.942, 8.605},
                             {10000, 120, 0.12, 3.497, 4.041, 4.317, 10.908}};
  double before = infinity;
  for (const auto& row : table) {
    const given_logits given({row.t, 10 * row.t}, row.texts, unsigned(row.t));
    const std::string at = "from distance " + std::to_string(row.t);
    expect_mean(attend(invariant, given, {row.t, 2 * row.t}).entropy, {row.twofold, 0.0005, 300}, row.widest, at + " to 2");
    expect_mean(attend(invariant, given, {row.t, 5 * row.t}).entropy, {row.fivefold, 0.0005, 300}, row.widest, at + " to 5");
    const sample tenfold = attend(invariant, given, {row.t, 10 * row.t}).entropy;
    expect_mean(tenfold, {row.tenfold, 0.0005, 300}, row.widest, at + " to 10");
    const sample plain = attend(none, given, {row.t, 10 * row.t}).entropy;
    expect_mean(plain, {row.plain, 0.0005, 300}, row.widest, at + " to 10, untransformed");
    // Untransformed, the entropy is the log of the count less 1/2. Weak sparsity: transformed, it falls behind log t.
    EXPECT_NEAR(plain.mean(), std::log(9.0 * double(row.t)) - 0.5, 0.03) << at;
    const double over_log = tenfold.mean() / std::log(double(row.t));
    EXPECT_LT(over_log, 0.95 * before) << at;
    before = over_log;
  }
}

}  // namespace

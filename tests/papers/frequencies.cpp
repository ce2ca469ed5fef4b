// The ladders of rotary positions, against the published formulas in 40-digit arithmetic.
#include <cmath>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "papers/fused_logit.hpp"

namespace {

using namespace testing_support;
using namespace longspan;
using namespace longspan::detail;

const dot_product unscaled{.scale = 1};

// Frequencies by the number of their pair; powers cost a few ulp.
void expect_frequencies(const ladder& rungs, const std::vector<std::pair<std::size_t, double>>& wanted) {
  for (const auto& [pair, frequency] : wanted)
    EXPECT_NEAR(rungs.frequencies.at(pair), frequency, 2e-15 * frequency) << "pair " << pair;
}

// The cosine by which the kernel multiplies the logit of a pair at some distance.
template <class Rotation>
void expect_turns(const Rotation& rotation, index_t channels, double magnitude_squared) {
  const ladder rungs = rotation.frequencies(channels);
  for (const index_t pair : {index_t(0), channels / 4, channels / 2 - 1})
    for (const index_t distance : {0, 1, 777}) {
      const lone_key at{.score = 1, .distance = distance, .keys = 1000, .channel = pair, .channels = channels};
      const double cosine = std::cos(double(distance) * rungs.frequencies[std::size_t(pair)]);
      EXPECT_NEAR(fused_logit(rotation | unscaled | causal{}, at), magnitude_squared * cosine, 1e-12)
          << "pair " << pair << " at " << distance;
    }
}

TEST(published_frequencies, of_rope) {
  expect_frequencies(rope{}.frequencies(8), {{0, 1.}, {1, 0.1}, {2, 0.01}, {3, 0.001}});
  expect_frequencies(
      rope{}.frequencies(128),
      {{1, 8.659643233600653e-01}, {31, 1.154781984689458e-02}, {32, 0.01}, {48, 0.001}, {63, 1.154781984689458e-04}});
  expect_turns(rope{}, 128, 1);
}

TEST(published_frequencies, of_p_rope_are_the_fastest_of_the_whole_row) {
  EXPECT_EQ(p_rope{.fraction = 1}.frequencies(128).frequencies, rope{}.frequencies(128).frequencies);
  EXPECT_EQ(p_rope{.fraction = 0}.frequencies(128).frequencies, std::vector<double>(64, 0.));
  const auto kept = p_rope{.fraction = 0.75}.frequencies(128).frequencies;
  expect_frequencies({kept}, {{0, 1.}, {32, 0.01}, {47, 1.154781984689458e-03}});
  EXPECT_EQ(std::vector<double>(kept.begin() + 48, kept.end()), std::vector<double>(16, 0.));
  expect_turns(p_rope{.fraction = 0.75}, 128, 1);
}

TEST(published_frequencies, of_the_truncated_ladder_fall_to_the_base_over_a_quarter_of_the_channels) {
  const auto rungs = truncated_rope{}.frequencies(64);
  expect_frequencies(rungs, {{0, 1.}, {1, 6.299605249474366e-01}, {7, 3.937253280921479e-02}, {15, 1. / 1024}});
  for (std::size_t pair = 16; pair < 32; ++pair) EXPECT_EQ(rungs.frequencies.at(pair), 0) << pair;
}

TEST(published_frequencies, of_partial_rotary_have_exponents_over_the_rotated_channels) {
  const auto rungs = partial_rotary{.fraction = 0.25}.frequencies(32);
  ASSERT_EQ(rungs.frequencies.size(), 4u);
  expect_frequencies(rungs, {{0, 1.}, {1, 0.1}, {2, 0.01}, {3, 0.001}});
}

TEST(published_frequencies, of_position_interpolation) {
  expect_frequencies(rope{}.interpolate(4).frequencies(8), {{0, 0.25}, {1, 0.025}, {2, 0.0025}, {3, 0.00025}});
}

TEST(published_frequencies, of_the_ntk_aware_base) {
  expect_frequencies(rope{}.ntk(4).frequencies(8),
                     {{0, 1.}, {1, 6.299605249474366e-02}, {2, 3.968502629920499e-03}, {3, 0.00025}});
  expect_frequencies(rope{}.ntk(4).frequencies(128),
                     {{0, 1.}, {1, 8.471171851512068e-01}, {32, 4.945289840680367e-03}, {63, 2.886954961723646e-05}});
  // Factor 2 of a model trained at 2048, reading 8192 tokens: 2 * 8192 / 2048 - 1 = 7.
  expect_frequencies(rope{}.dynamic_ntk(2, 2048, 8192).frequencies(64),
                     {{0, 1.}, {1, 7.042693252165533e-01}, {16, 3.662860395123453e-03}, {31, 1.905030617376177e-05}});
  EXPECT_EQ(rope{}.dynamic_ntk(2, 2048, 2048).frequencies(64).frequencies, rope{}.frequencies(64).frequencies);
}

// The two ramps differ between the pairs of 32 turns (20) and of 1 turn (46).
TEST(published_frequencies, of_yarn_ramping_over_turns) {
  const auto yarn = rope{}.yarn({.factor = 16, .trained = 4096});
  expect_frequencies(yarn.frequencies(128), {{0, 1.},
                                             {10, 2.371373705661655e-01},
                                             {20, 5.623413251903491e-02},
                                             {24, 2.073476638950199e-02},
                                             {30, 3.935988590684745e-03},
                                             {40, 2.991557249966826e-04},
                                             {44, 1.197071340274589e-04},
                                             {45, 9.642591545833585e-05},
                                             {46, 8.334508951020775e-05},
                                             {63, 7.217387404309114e-06}});
  expect_turns(yarn, 128, 1.631390226674868);  // (0.1 log 16 + 1)^2
}

TEST(published_frequencies, of_yarn_ramping_over_the_index) {
  const auto yarn = rope{}.yarn({.factor = 16, .trained = 4096, .ramp_over_index = true});
  expect_frequencies(yarn.frequencies(128), {{0, 1.},
                                             {10, 2.371373705661655e-01},
                                             {20, 5.623413251903491e-02},
                                             {24, 2.706179920721017e-02},
                                             {30, 8.526843772967408e-03},
                                             {40, 8.817889629315673e-04},
                                             {44, 2.393837667360088e-04},
                                             {45, 1.517716047318249e-04},
                                             {46, 8.334508951020775e-05},
                                             {63, 7.217387404309114e-06}});
  expect_turns(yarn, 128, 1.631390226674868);
}

TEST(published_frequencies, of_llama_3) {
  expect_frequencies(rope{.base = 500000}.llama3().frequencies(128), {{0, 1.},
                                                                      {1, 8.146172338565447e-01},
                                                                      {28, 3.211445994752591e-03},
                                                                      {29, 2.166570763503359e-03},
                                                                      {30, 1.371893567761138e-03},
                                                                      {31, 8.567514129196321e-04},
                                                                      {32, 5.248461609929547e-04},
                                                                      {33, 3.126937503840651e-04},
                                                                      {34, 1.785078127679964e-04},
                                                                      {35, 9.556212353964683e-05},
                                                                      {36, 7.784655273932450e-05},
                                                                      {63, 3.068925988914511e-07}});
  expect_turns(rope{.base = 500000}.llama3(), 128, 1);
}

TEST(published_frequencies, of_longrope) {
  const auto longrope = rope{}.longrope({.divisors = {1, 1.5, 3, 8}, .factor = 32, .trained = 4096});
  expect_frequencies(longrope.frequencies(8), {{0, 1.}, {1, 0.1 / 1.5}, {2, 0.01 / 3}, {3, 0.000125}});
  EXPECT_NEAR(longrope.frequencies(8).magnitude, 1.190238071423808, 1e-15);
  expect_turns(longrope, 8, 17. / 12);  // 1 + log 32 / log 4096
}

}  // namespace

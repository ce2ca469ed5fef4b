#include <longspan/position/scaling.hpp>

#include <gtest/gtest.h>

#include <limits>

#include <longspan/position/concept.hpp>
#include <longspan/position/partial_rotary.hpp>
#include <longspan/position/rope.hpp>

#include "support/turned.hpp"
#include "support/words.hpp"

namespace {

using namespace longspan;
using namespace longspan::detail;
using namespace testing_support;

const auto yarn = rope{}.yarn({.factor = 4, .trained = 64});
static_assert(rotation<decltype(rope{}.interpolate(2))> && rotation<decltype(yarn)>);

template <class Scaled>
std::vector<double> frequencies(const Scaled& part, index_t channels) {
  return part.frequencies(channels).frequencies;
}
std::vector<double> plain(index_t channels, double base = 10000) { return frequencies(rope{.base = base}, channels); }

TEST(interpolate, divides_positions_by_the_factor) {
  const auto row = random_row(16), wanted = turned(rope{}, row, 25), got = turned(rope{}.interpolate(4), row, 100);
  for (std::size_t c = 0; c < row.size(); ++c) EXPECT_NEAR(got[c], wanted[c], 1e-13);
}

TEST(ntk, stretches_the_slowest_pair_by_the_factor_and_leaves_the_fastest) {
  for (const double factor : {1.0, 2.0, 8.0})
    for (const index_t channels : {4, 16, 128}) {
      const auto got = frequencies(rope{.base = 500}.ntk(factor), channels), was = plain(channels, 500);
      EXPECT_EQ(got.front(), 1);
      EXPECT_NEAR(got.back(), was.back() / factor, 1e-14);
      EXPECT_NEAR(got[1], std::pow(500 * std::pow(factor, double(channels) / double(channels - 2)), -2 / double(channels)),
                  1e-14);
    }
}

TEST(dynamic_ntk, grows_with_the_text_beyond_the_trained_length) {
  EXPECT_EQ(frequencies(rope{}.dynamic_ntk(2, 512, 512), 16), plain(16));
  EXPECT_EQ(frequencies(rope{}.dynamic_ntk(2, 512, 100), 16), plain(16));
  // f n / m - (f - 1) = 2 * 4 - 1
  EXPECT_EQ(frequencies(rope{}.dynamic_ntk(2, 512, 2048), 16), frequencies(rope{}.ntk(7), 16));
}

// How many pairs a rescaling kept, interpolated, and put in between.
struct fates {
  int kept = 0, slowed = 0, between = 0;
};

template <class Wanted>
fates expect_frequencies(const std::vector<double>& got, const std::vector<double>& was, double factor, Wanted wanted) {
  fates met;
  for (std::size_t i = 0; i < got.size(); ++i) {
    EXPECT_NEAR(got[i], wanted(was[i]), 1e-15) << "pair " << i;
    ++(got[i] == was[i] ? met.kept : std::abs(got[i] * factor - was[i]) < 1e-15 ? met.slowed : met.between);
  }
  return met;
}

TEST(yarn, keeps_fast_pairs_and_interpolates_slow_ones) {
  const fates met =
      expect_frequencies(frequencies(rope{}.yarn({.factor = 16, .trained = 2048}), 64), plain(64), 16, [](double w) {
        const double turns = 2048 * w / (2 * std::numbers::pi);
        return turns >= 32 ? w : turns <= 1 ? w / 16 : w / 16 * (32 - turns) / 31 + w * (turns - 1) / 31;
      });
  EXPECT_TRUE(met.kept > 3 && met.slowed > 3 && met.between > 3);
}

// As released: a ramp over the index of the pair between floor(dim(32)) and ceil(dim(1)), here of 128 channels trained at 4096.
TEST(yarn, ramps_over_the_index_as_the_released_code_does) {
  const auto got = frequencies(rope{}.yarn({.factor = 8, .trained = 4096, .ramp_over_index = true}), 128), was = plain(128);
  const auto dim = [](double turns) { return 128 * std::log(4096 / (2 * std::numbers::pi * turns)) / (2 * std::log(10000.0)); };
  const double low = std::floor(dim(32)), high = std::ceil(dim(1));
  EXPECT_EQ(low, 20);
  EXPECT_EQ(high, 46);
  for (std::size_t i = 0; i < got.size(); ++i) {
    const double slowed = std::clamp((double(i) - low) / (high - low), 0.0, 1.0);
    EXPECT_NEAR(got[i], slowed * was[i] / 8 + (1 - slowed) * was[i], 1e-15) << i;
  }
}

// gpt-oss ramps over the index between the very numbers dim(32) = 8.093 and dim(1) = 17.398 of 32 pairs, not rounded to whole pairs. From
// its definition: 150000^(-i/32), kept to 1 - r and divided by 32 to r.
TEST(yarn, as_gpt_oss_has_it) {
  const auto part = rope{.base = 150000}.yarn({.factor = 32, .trained = 4096, .ramp_over_index = true, .truncate = false});
  const ladder got = part.frequencies(64);
  const std::pair<std::size_t, double> wanted[] = {{0, 1.0},
                                                   {8, 0.050813274815461475},
                                                   {9, 0.03170569618466377},
                                                   {12, 0.006794959489732219},
                                                   {17, 0.0001293187012450632},
                                                   {18, 3.8308812373753384e-05},
                                                   {31, 3.0235114281192144e-07}};
  for (const auto& [i, w] : wanted) EXPECT_NEAR(got.frequencies[i] / w, 1, 1e-12) << i;
  EXPECT_NEAR(got.magnitude, 1.3465735902799727, 1e-15);
  for (std::size_t i = 0; i < 32; ++i) {
    const double w = std::pow(150000.0, -double(i) / 32),
                 r = (double(i) - 8.092779115512402) / (17.39802450158856 - 8.092779115512402);
    const double slowed = std::clamp(r, 0.0, 1.0);
    EXPECT_NEAR(got.frequencies[i], slowed * w / 32 + (1 - slowed) * w, 1e-14) << i;
  }
}

TEST(scaling, takes_a_magnitude_of_ones_own) {
  EXPECT_EQ(rope{}.yarn({.factor = 4, .trained = 64, .magnitude = 1}).frequencies(16).magnitude, 1);
  EXPECT_EQ(rope{}.yarn({.factor = 1, .trained = 64, .magnitude = 1.25}).frequencies(16).magnitude, 1.25);
  EXPECT_EQ(frequencies(rope{}.yarn({.factor = 4, .trained = 64, .magnitude = 1}), 16), frequencies(yarn, 16));
  EXPECT_EQ(rope{}.longrope({.divisors = {1, 2, 5}, .factor = 16, .trained = 4096, .magnitude = 1.19}).frequencies(6).magnitude,
            1.19);
}

// A partial width is scaled as a whole row of that width is.
TEST(scaling, of_a_partial_width_is_that_of_the_channels_that_turn) {
  const partial_rotary part{.fraction = 0.75, .base = 5000, .pairing = pairing::interleaved};
  const rope whole{.base = 5000, .pairing = pairing::interleaved};
  const auto expect_same = [](const auto& of_part, const auto& of_whole) {
    const ladder got = of_part.frequencies(128), wanted = of_whole.frequencies(96);
    EXPECT_EQ(got.frequencies, wanted.frequencies);
    EXPECT_EQ(got.magnitude, wanted.magnitude);
    EXPECT_EQ(got.pairing, wanted.pairing);
    EXPECT_NO_THROW(of_part.check({.channels = 128}));
  };
  const yarn_scaling by_index{.factor = 8, .trained = 4096, .ramp_over_index = true};
  expect_same(part.yarn({.factor = 8, .trained = 4096}), whole.yarn({.factor = 8, .trained = 4096}));
  expect_same(part.yarn(by_index), whole.yarn(by_index));
  expect_same(part.llama3(), whole.llama3());
  expect_same(part.interpolate(3), whole.interpolate(3));
  expect_same(part.ntk(3), whole.ntk(3));
  const longrope_scaling searched{.divisors = std::vector<double>(48, 2), .factor = 4, .trained = 4096};
  expect_same(part.longrope(searched), whole.longrope(searched));
  EXPECT_EQ(words_of([&] { part.longrope(searched).check({.channels = 64}); }),
            "rope: LongRoPE has a divisor for each pair of channels: 48 and 24");
  EXPECT_EQ(words_of([] { partial_rotary{.fraction = 2}.llama3().check({.channels = 64}); }),
            "partial_rotary: fraction must be in [0, 1], not 2");
}

TEST(yarn, sharpens_logits_by_the_square_of_its_magnitude) {
  EXPECT_DOUBLE_EQ(yarn.frequencies(16).magnitude, 0.1 * std::log(4.0) + 1);
  EXPECT_EQ(rope{}.yarn({.factor = 1, .trained = 64}).frequencies(16).magnitude, 1);
  EXPECT_EQ(rope{}.yarn({.factor = 0.5, .trained = 64}).frequencies(16).magnitude, 1);
  const auto q = random_row(16, 1), k = random_row(16, 2);
  const double m = 0.1 * std::log(4.0) + 1;
  EXPECT_NEAR(dot(turned(yarn, q, 9), turned(yarn, k, 9)), m * m * dot(q, k), 1e-13);
}

// Wavelengths under 8192/4 stay, over 8192/1 grow by 8.
TEST(llama3, rescales_by_wavelength) {
  const fates met = expect_frequencies(frequencies(rope{.base = 500000}.llama3(), 128), plain(128, 500000), 8, [](double w) {
    const double wavelength = 2 * std::numbers::pi / w, u = (8192 / wavelength - 1) / (4 - 1);
    return wavelength < 8192.0 / 4 ? w : wavelength > 8192 ? w / 8 : (1 - u) * w / 8 + u * w;
  });
  EXPECT_TRUE(met.kept > 10 && met.slowed > 10 && met.between > 2);
  EXPECT_EQ(rope{}.llama3().frequencies(128).magnitude, 1);
}

TEST(longrope, divides_each_frequency_by_its_own_number) {
  const auto part = rope{}.longrope({.divisors = {1, 2, 5}, .factor = 16, .trained = 4096});
  const auto was = plain(6);
  EXPECT_EQ(frequencies(part, 6), (std::vector<double>{was[0], was[1] / 2, was[2] / 5}));
  EXPECT_DOUBLE_EQ(part.frequencies(6).magnitude, std::sqrt(1 + std::log(16.0) / std::log(4096.0)));
  EXPECT_EQ(rope{}.longrope({.divisors = {1, 2, 5}, .factor = 1, .trained = 4096}).frequencies(6).magnitude, 1);
}

TEST(scaling, keeps_base_and_pairing_of_its_rope) {
  const rope base{.base = 777, .pairing = pairing::interleaved};
  EXPECT_EQ(base.ntk(2).frequencies(8).pairing, pairing::interleaved);
  EXPECT_EQ(base.interpolate(1).frequencies(8).pairing, pairing::interleaved);
  EXPECT_EQ(frequencies(base.interpolate(1), 8), plain(8, 777));
  EXPECT_EQ(frequencies(base.llama3({.factor = 1}), 8), plain(8, 777));
}

TEST(scaling, names_what_it_refuses) {
  const double infinity = std::numeric_limits<double>::infinity();
  const auto words = [](const auto& part, index_t channels = 6) { return words_of([&] { part.check({.channels = channels}); }); };
  EXPECT_EQ(words(rope{}.interpolate(0)), "rope: factor must be positive and finite, not 0");
  EXPECT_EQ(words(rope{}.ntk(infinity)), "rope: factor must be positive and finite, not inf");
  EXPECT_EQ(words(rope{}.ntk(2), 2), "rope: channels for NTK must be more than 2, not 2");
  EXPECT_EQ(words(rope{}.ntk(2), 7), "rope rotates pairs of channels, so their number must be even, not 7");
  EXPECT_EQ(words(rope{.base = 0}.llama3()), "rope: base must be positive and finite, not 0");
  EXPECT_EQ(words(rope{}.yarn({.factor = -1, .trained = 64})), "rope: factor must be positive and finite, not -1");
  EXPECT_EQ(words(rope{}.yarn({.factor = 4, .trained = 1})), "rope: trained must be a length of at least 2, not 1");
  EXPECT_EQ(words(rope{}.yarn({.factor = 4, .trained = 64, .slow = 3, .fast = 3})),
            "rope: fast turns of YaRN must be more than the slow ones, which are positive, not 3");
  EXPECT_EQ(words(rope{}.yarn({.factor = 4, .trained = 64, .magnitude = 0})),
            "rope: magnitude of YaRN must be positive and finite, not 0");
  EXPECT_EQ(words(rope{}.longrope({{1, 2, 3}, 4, 64, infinity})),
            "rope: magnitude of LongRoPE must be positive and finite, not inf");
  EXPECT_EQ(words(rope{}.llama3({.high = 1})), "rope: high of Llama 3 must be more than low, which is positive, not 1");
  EXPECT_EQ(words(rope{}.llama3({.trained = 0})), "rope: trained must be a length of at least 2, not 0");
  EXPECT_EQ(words(rope{}.longrope({{1, 2}, 4, 64})), "rope: LongRoPE has a divisor for each pair of channels: 2 and 3");
  EXPECT_EQ(words(rope{}.longrope({{1, 2, 0}, 4, 64})), "rope: divisor of LongRoPE must be positive and finite, not 0");
  EXPECT_EQ(words(rope{}.longrope({{1, 2, 3}, 4, 64})), "");
}

}  // namespace

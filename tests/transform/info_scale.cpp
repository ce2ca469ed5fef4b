#include <longspan/transform/info_scale.hpp>

#include <gtest/gtest.h>

#include "support/logits.hpp"
#include "support/words.hpp"

namespace {

using namespace longspan;
using namespace testing_support;

// arXiv 2501.08570, section 3.2, as it is written.
double definition(double n, double m, double d) {
  return std::sqrt(1 - std::pow(n, -2 / d)) / std::sqrt(1 - std::pow(m, -2 / d));
}

TEST(info_scale, multiplies_by_g_of_the_keys_that_the_row_sees) {
  for (const index_t trained : {2, 64, 4096})
    for (const index_t channels : {1, 2, 64, 128})
      for (const index_t n : {2, 63, 64, 65, 100000}) {
        const double z =
            logit(info_scale{.trained = trained}, {.position = 9, .keys = 123456, .seen = n, .channels = channels}, 3, 1.5);
        EXPECT_NEAR(z, 1.5 * definition(double(n), double(trained), double(channels)), 1e-12)
            << n << ' ' << trained << ' ' << channels;
      }
}

TEST(info_scale, is_one_at_the_trained_length_and_zero_for_one_key) {
  for (const index_t channels : {1, 64, 4096}) {
    EXPECT_EQ(info_scale{.trained = 512}.factor(512, channels), 1);
    EXPECT_EQ(info_scale{.trained = 512}.factor(1, channels), 0);
    EXPECT_EQ(info_scale{.trained = 512}.factor(0, channels), 0);
  }
}

// For log n far below d/2, 1 - n^(-2/d) cancels all but the square root of log n / log m.
TEST(info_scale, keeps_its_digits_for_many_channels) {
  EXPECT_NEAR(info_scale{.trained = 64}.factor(4096, index_t(1) << 50), std::sqrt(2), 1e-12);
}

TEST(info_scale, clamp_never_goes_below_one) {
  const info_scale clamped{.trained = 64, .clamp = true}, plain{.trained = 64};
  for (const index_t n : {1, 2, 63, 64}) EXPECT_EQ(clamped.factor(n, 32), 1);
  EXPECT_EQ(clamped.factor(1000, 32), plain.factor(1000, 32));
}

TEST(info_scale, all_keys_counts_the_hidden_ones_too) {
  const query_row row{.position = 9, .keys = 640, .seen = 10, .channels = 16};
  const double seen = logit(info_scale{.trained = 64}, row, 0, 1.0),
               all = logit(info_scale{.trained = 64, .all_keys = true}, row, 0, 1.0);
  EXPECT_NEAR(seen, definition(10, 64, 16), 1e-14);
  EXPECT_NEAR(all, definition(640, 64, 16), 1e-14);
}

TEST(info_scale, has_one_body) { expect_one_body(info_scale{.trained = 64}, {.position = 5, .seen = 100, .channels = 32}); }

TEST(info_scale, names_what_it_refuses) {
  const auto words = [](index_t trained) { return words_of([&] { info_scale{.trained = trained}.check({}); }); };
  EXPECT_EQ(words(2), "");
  EXPECT_EQ(words(1), "info_scale: trained must be a length of at least 2, not 1");
  EXPECT_EQ(words(-64), "info_scale: trained must be a length of at least 2, not -64");
}

}  // namespace

#include <longspan/transform/log_n.hpp>

#include <gtest/gtest.h>

#include "support/logits.hpp"
#include "support/words.hpp"

namespace {

using namespace longspan;
using namespace testing_support;

TEST(log_n, multiplies_by_the_ratio_of_logarithms) {
  for (const index_t trained : {2, 512})
    for (const index_t n : {1, 2, 511, 512, 70000})
      EXPECT_NEAR(logit(log_n{.trained = trained}, {.position = 3, .keys = 99999, .seen = n}, 1, 2.0),
                  2 * std::log(double(n)) / std::log(double(trained)), 1e-14);
  EXPECT_EQ(log_n{.trained = 512}.factor(512), 1);
}

// A row that sees nothing is decided by its mask; its factor must still be a number.
TEST(log_n, of_no_keys_is_zero) { EXPECT_EQ(log_n{.trained = 512}.factor(0), 0); }

TEST(log_n, clamp_never_goes_below_one) {
  const log_n clamped{.trained = 512, .clamp = true};
  for (const index_t n : {0, 1, 100, 512}) EXPECT_EQ(clamped.factor(n), 1);
  EXPECT_EQ(clamped.factor(1024), log_n{.trained = 512}.factor(1024));
}

TEST(log_n, all_keys_counts_the_hidden_ones_too) {
  const query_row row{.position = 9, .keys = 4096, .seen = 8};
  EXPECT_NEAR(logit(log_n{.trained = 64}, row, 0, 1.0), 0.5, 1e-15);
  EXPECT_NEAR(logit(log_n{.trained = 64, .all_keys = true}, row, 0, 1.0), 2, 1e-15);
  EXPECT_NEAR(logit(log_n{.trained = 64, .clamp = true, .all_keys = true}, row, 0, 1.0), 2, 1e-15);
}

TEST(log_n, has_one_body) { expect_one_body(log_n{.trained = 64}, {.position = 5, .seen = 100}); }

TEST(log_n, names_what_it_refuses) {
  const auto words = [](index_t trained) { return words_of([&] { log_n{.trained = trained}.check({}); }); };
  EXPECT_EQ(words(2), "");
  EXPECT_EQ(words(1), "log_n: trained must be a length of at least 2, not 1");
  EXPECT_EQ(words(0), "log_n: trained must be a length of at least 2, not 0");
}

}  // namespace

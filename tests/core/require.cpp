#include <longspan/core/require.hpp>

#include <gtest/gtest.h>

#include <limits>

#include "support/words.hpp"

namespace {

using namespace longspan;
using namespace longspan::detail;
using testing_support::words_of;

constexpr double infinity = std::numeric_limits<double>::infinity(), nan = std::numeric_limits<double>::quiet_NaN();

TEST(require, names_field_rule_and_value) {
  EXPECT_EQ(words_of([] { require(false, "part: field", "less than 3", 7); }), "part: field must be less than 3, not 7");
  EXPECT_EQ(words_of([] { require(false, "part: field", "in [0, 1]", 1.5); }), "part: field must be in [0, 1], not 1.5");
  EXPECT_NO_THROW(require(true, "part: field", "less than 3", 7));
}

TEST(require, positive_is_above_zero_and_finite) {
  const auto words = [](double value) { return words_of([&] { require_positive("part: tau", value); }); };
  EXPECT_EQ(words(0), "part: tau must be positive and finite, not 0");
  EXPECT_EQ(words(-0.5), "part: tau must be positive and finite, not -0.5");
  EXPECT_EQ(words(infinity), "part: tau must be positive and finite, not inf");
  EXPECT_EQ(words(nan).rfind("part: tau must be positive and finite, not ", 0), 0u);
  EXPECT_EQ(words(std::numeric_limits<double>::denorm_min()), "");
  EXPECT_EQ(words(std::numeric_limits<double>::max()), "");
}

TEST(require, finite_takes_any_sign) {
  const auto words = [](double value) { return words_of([&] { require_finite("part: factor", value); }); };
  for (const double fine : {0.0, -3.0, 1e300}) EXPECT_EQ(words(fine), "");
  EXPECT_EQ(words(-infinity), "part: factor must be finite, not -inf");
  EXPECT_NE(words(nan), "");
}

TEST(require, trained_is_two_tokens_or_more) {
  const auto words = [](index_t trained) { return words_of([&] { require_trained("part: trained", trained); }); };
  for (const index_t refused : {1, 0, -5})
    EXPECT_EQ(words(refused), "part: trained must be a length of at least 2, not " + std::to_string(refused));
  EXPECT_EQ(words(2), "");
}

}  // namespace

#include <longspan/core/shape_error.hpp>

#include <gtest/gtest.h>

#include "support/words.hpp"

namespace {

using namespace longspan;
using namespace longspan::detail;
using testing_support::words_of;

static_assert(std::is_base_of_v<std::invalid_argument, shape_error>);

TEST(shape_error, names_the_axis_and_both_numbers) {
  EXPECT_EQ(words_of<shape_error>([] { require_equal("key", "value", "tokens", 30, 29); }),
            "key and value differ in tokens: 30 and 29");
  EXPECT_NO_THROW(require_equal("key", "value", "tokens", 30, 30));
}

TEST(shape_error, odd_channels_cannot_be_paired) {
  EXPECT_EQ(words_of<shape_error>([] { require_even("rope", 7); }),
            "rope rotates pairs of channels, so their number must be even, not 7");
  for (const index_t even : {0, 2, 64}) EXPECT_NO_THROW(require_even("rope", even));
}

}  // namespace

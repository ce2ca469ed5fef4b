#include <longspan/mask/prefix.hpp>

#include <gtest/gtest.h>

#include <limits>

#include "support/masks.hpp"
#include "support/words.hpp"

namespace {

using namespace longspan;
using testing_support::words_of;

static_assert(mask<prefix>);

TEST(prefix, sees_the_first_keys_and_what_stands_before) {
  for (const index_t length : {0, 1, 5, 100})
    testing_support::expect_sees(prefix{length},
                                 [=](const query_row& row, index_t j) { return j < length || j <= row.position; });
}

// The largest index stands for no bound: every query sees every key.
TEST(prefix, may_be_unbounded) {
  testing_support::expect_sees(prefix{std::numeric_limits<index_t>::max()}, [](const query_row&, index_t) { return true; });
}

TEST(prefix, names_what_it_refuses) {
  EXPECT_EQ(words_of([] { prefix{0}.check({}); }), "");
  EXPECT_EQ(words_of([] { prefix{-3}.check({}); }), "prefix: length must be at least 0, not -3");
}

}  // namespace

#include <longspan/mask/at_least.hpp>

#include <gtest/gtest.h>

#include <limits>

#include "support/masks.hpp"
#include "support/words.hpp"

namespace {

using namespace longspan;
using testing_support::words_of;

static_assert(mask<at_least>);

TEST(at_least, lets_a_query_see_the_keys_that_stand_so_far_before_it) {
  for (const index_t distance : {0, 1, 2, 7, 100})
    testing_support::expect_sees(at_least{distance},
                                 [=](const query_row& row, index_t j) { return row.position - j >= distance; });
}

TEST(at_least, may_hide_all_keys) {
  testing_support::expect_sees(at_least{std::numeric_limits<index_t>::max()}, [](const query_row&, index_t) { return false; });
}

TEST(at_least, names_what_it_refuses) {
  EXPECT_EQ(words_of([] { at_least{0}.check({}); }), "");
  EXPECT_EQ(words_of([] { at_least{-1}.check({}); }), "at_least: distance must be at least 0, not -1");
}

}  // namespace

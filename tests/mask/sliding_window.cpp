#include <longspan/mask/sliding_window.hpp>

#include <gtest/gtest.h>

#include <limits>

#include "support/masks.hpp"
#include "support/words.hpp"

namespace {

using namespace longspan;
using testing_support::words_of;

static_assert(mask<sliding_window>);

TEST(sliding_window, sees_some_keys_before_and_some_after_its_own) {
  for (const index_t before : {0, 1, 3, 40})
    for (const index_t after : {0, 2, 40})
      testing_support::expect_sees(sliding_window{before, after}, [=](const query_row& row, index_t j) {
        return row.position - before <= j && j <= row.position + after;
      });
}

TEST(sliding_window, looks_back_alone_unless_told) { EXPECT_EQ(sliding_window{5}.after, 0); }

// The largest index stands for no bound: position - 3 and all after it, all before it and itself.
TEST(sliding_window, may_be_unbounded_on_either_side) {
  constexpr index_t unbounded = std::numeric_limits<index_t>::max();
  for (const index_t near : {0, 3}) {
    testing_support::expect_sees(sliding_window{near, unbounded},
                                 [=](const query_row& row, index_t j) { return row.position - near <= j; });
    testing_support::expect_sees(sliding_window{unbounded, near},
                                 [=](const query_row& row, index_t j) { return j <= row.position + near; });
    testing_support::expect_sees(sliding_window{near, unbounded - 1},
                                 [=](const query_row& row, index_t j) { return row.position - near <= j; });
  }
  testing_support::expect_sees(sliding_window{unbounded, unbounded}, [](const query_row&, index_t) { return true; });
}

TEST(sliding_window, names_what_it_refuses) {
  const auto words = [](const sliding_window& part) { return words_of([&] { part.check({}); }); };
  EXPECT_EQ(words({0, 0}), "");
  EXPECT_EQ(words({-1, 0}), "sliding_window: before must be at least 0, not -1");
  EXPECT_EQ(words({3, -2}), "sliding_window: after must be at least 0, not -2");
}

}  // namespace

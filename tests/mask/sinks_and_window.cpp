#include <longspan/mask/sinks_and_window.hpp>

#include <gtest/gtest.h>

#include <limits>

#include "support/masks.hpp"
#include "support/words.hpp"

namespace {

using namespace longspan;
using testing_support::words_of;

static_assert(mask<sinks_and_window>);

// A window of w holds the distances 0 <= t < w, the query's own included.
TEST(sinks_and_window, sees_the_first_and_the_last_keys_causally) {
  for (const index_t sinks : {0, 1, 4, 50})
    for (const index_t window : {0, 1, 3, 50})
      testing_support::expect_sees(sinks_and_window{.sinks = sinks, .window = window}, [=](const query_row& row, index_t j) {
        return j <= row.position && (j < sinks || row.position - j < window);
      });
}

// The largest index stands for no bound: either alone makes the mask causal.
TEST(sinks_and_window, may_be_unbounded) {
  constexpr index_t unbounded = std::numeric_limits<index_t>::max();
  const auto causally = [](const query_row& row, index_t j) { return j <= row.position; };
  for (const index_t other : {index_t(0), index_t(3), unbounded}) {
    testing_support::expect_sees(sinks_and_window{.sinks = unbounded, .window = other}, causally);
    testing_support::expect_sees(sinks_and_window{.sinks = other, .window = unbounded}, causally);
  }
}

TEST(sinks_and_window, has_the_four_sinks_of_streaming_llm) { EXPECT_EQ((sinks_and_window{.window = 9}.sinks), 4); }

TEST(sinks_and_window, names_what_it_refuses) {
  const auto words = [](const sinks_and_window& part) { return words_of([&] { part.check({}); }); };
  EXPECT_EQ(words({.sinks = 0, .window = 0}), "");
  EXPECT_EQ(words({.sinks = -1, .window = 2}), "sinks_and_window: sinks must be at least 0, not -1");
  EXPECT_EQ(words({.window = -7}), "sinks_and_window: window must be at least 0, not -7");
}

}  // namespace

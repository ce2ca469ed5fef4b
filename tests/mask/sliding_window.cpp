#include <longspan/mask/sliding_window.hpp>

#include <gtest/gtest.h>

#include "support/masks.hpp"
#include "support/words.hpp"

namespace {

using namespace longspan;
using testing_support::words_of;

static_assert(mask<sliding_window>);

TEST(sliding_window, sees_left_before_and_right_after) {
  for (const index_t left : {0, 1, 3, 40})
    for (const index_t right : {0, 2, 40})
      testing_support::expect_sees(sliding_window{left, right}, [=](const query_row& row, index_t j) {
        return row.position - left <= j && j <= row.position + right;
      });
}

TEST(sliding_window, looks_back_alone_unless_told) { EXPECT_EQ(sliding_window{5}.right, 0); }

TEST(sliding_window, names_what_it_refuses) {
  const auto words = [](const sliding_window& part) { return words_of([&] { part.check({}); }); };
  EXPECT_EQ(words({0, 0}), "");
  EXPECT_EQ(words({-1, 0}), "sliding_window: left must be at least 0, not -1");
  EXPECT_EQ(words({3, -2}), "sliding_window: right must be at least 0, not -2");
}

}  // namespace

#include <longspan/mask/concept.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>

#include "support/masks.hpp"

namespace {

using namespace longspan;
using testing_support::expect_sees;

// Sentences of a few tokens, causal inside: the example above the concept.
struct sentence {
  index_t length;
  interval operator()(const query_row& row) const { return {row.position / length * length, row.position + 1}; }
};

// Runs that overlap, stand in no order, are empty, inside out or beyond the keys.
struct untidy {
  std::array<interval, 5> operator()(const query_row& row) const {
    const index_t p = row.position;
    return {interval{p - 1, p + 2}, {p - 4, p}, {8, 3}, {0, 2}, {row.keys - 1, row.keys + 100}};
  }
  static bool sees(const query_row& row, index_t j) {
    const auto runs = untidy{}(row);
    return std::ranges::any_of(runs, [=](interval run) { return run.first <= j && j < run.last; });
  }
};

struct answers_nothing {
  void operator()(const query_row&) const {}
};
struct answers_no_runs {
  std::array<interval, 0> operator()(const query_row&) const { return {}; }
};
struct answers_a_number {
  index_t operator()(const query_row& row) const { return row.position; }
};
struct answers_by_reference {
  intervals<2> runs;
  const intervals<2>& operator()(const query_row&) const { return runs; }
};

static_assert(mask<sentence> && mask<untidy> && mask<answers_by_reference> && mask<std::function<interval(const query_row&)>>);
static_assert(!mask<answers_nothing> && !mask<answers_no_runs> && !mask<answers_a_number> && !mask<int>);

TEST(mask, of_one_interval_is_clipped_to_the_keys) {
  expect_sees(sentence{3}, [](const query_row& row, index_t j) { return row.position / 3 * 3 <= j && j <= row.position; });
  expect_sees([](const query_row&) { return interval{-100, 100}; }, [](const query_row&, index_t) { return true; });
  expect_sees([](const query_row&) { return interval{100, -100}; }, [](const query_row&, index_t) { return false; });
}

TEST(mask, of_untidy_runs_counts_no_key_twice) { expect_sees(untidy{}, untidy::sees); }

TEST(mask, may_answer_by_reference) {
  expect_sees(answers_by_reference{{interval{4, 9}, {2, 6}}}, [](const query_row&, index_t j) { return 2 <= j && j < 9; });
}

TEST(mask, lists_runs_in_ascending_order) {
  for (index_t position = -6; position < 19; ++position) {
    index_t reached = 0;
    for (const interval& run : visible(untidy{}, query_row{.position = position, .keys = 12})) {
      if (run.empty()) continue;
      EXPECT_GE(run.first, reached);
      reached = run.last;
    }
  }
}

}  // namespace

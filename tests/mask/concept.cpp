#include <longspan/mask/concept.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <functional>
#include <limits>
#include <memory>

#include "support/masks.hpp"

namespace {

using namespace longspan;
using namespace longspan::detail;
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
  std::array<interval, 2> runs;
  const std::array<interval, 2>& operator()(const query_row&) const { return runs; }
};
// Keys that are data: a set of one's own, of the first 64 keys.
struct first_keys {
  std::uint64_t seen;
  interval hull() const { return {0, 64}; }
  std::uint64_t bits(index_t key) const { return key < 64 ? seen >> key : 0; }
  index_t count() const { return std::popcount(seen); }
};
struct every_third {
  first_keys operator()(const query_row& row) const { return {0x9249'2492'4924'9249 & interval{0, row.keys}.bits(0)}; }
};
struct answers_a_few {
  any_of<2> operator()(const query_row& row) const { return {{interval{row.position - 2, 400}, {-8, 2}}}; }
};
struct no_bits {
  interval hull() const { return {}; }
  index_t count() const { return 0; }
};
struct answers_no_bits {
  no_bits operator()(const query_row&) const { return {}; }
};

static_assert(mask<sentence> && mask<untidy> && mask<answers_by_reference> && mask<std::function<interval(const query_row&)>>);
static_assert(mask<every_third> && mask<answers_a_few> && !mask<answers_no_bits>);
static_assert(!mask<answers_nothing> && !mask<answers_no_runs> && !mask<answers_a_number> && !mask<int>);

TEST(mask, of_one_interval_is_clipped_to_the_keys) {
  expect_sees(sentence{3}, [](const query_row& row, index_t j) { return row.position / 3 * 3 <= j && j <= row.position; });
  expect_sees([](const query_row&) { return interval{-100, 100}; }, [](const query_row&, index_t) { return true; });
  expect_sees([](const query_row&) { return interval{100, -100}; }, [](const query_row&, index_t) { return false; });
  using limits = std::numeric_limits<index_t>;
  expect_sees([](const query_row&) { return interval{limits::min(), limits::max()}; },
              [](const query_row&, index_t) { return true; });
  expect_sees([](const query_row&) { return interval{limits::max(), limits::min()}; },
              [](const query_row&, index_t) { return false; });
  expect_sees([](const query_row&) { return std::array{interval{limits::min(), 2}, interval{5, limits::max()}}; },
              [](const query_row&, index_t j) { return j < 2 || j >= 5; });
}

TEST(mask, of_untidy_runs_counts_no_key_twice) { expect_sees(untidy{}, untidy::sees); }

TEST(mask, may_answer_by_reference) {
  expect_sees(answers_by_reference{{interval{4, 9}, {2, 6}}}, [](const query_row&, index_t j) { return 2 <= j && j < 9; });
}

TEST(mask, may_answer_with_a_set_of_one_s_own) {
  expect_sees(every_third{}, [](const query_row&, index_t j) { return j % 3 == 0; });
}

TEST(mask, may_answer_with_a_set_of_the_library_s) {
  expect_sees(answers_a_few{}, [](const query_row& row, index_t j) { return row.position - 2 <= j || j < 2; });
}

// Who reads the position alone says so.
struct two_back {
  static constexpr bool by_position_alone = true;
  interval operator()(const query_row& row) const { return {row.position - 2, row.position + 1}; }
};
struct changes_its_mind {
  static constexpr bool by_position_alone = false;
  interval operator()(const query_row& row) const { return {row.head, row.keys}; }
};
static_assert(by_position_alone<two_back> && !by_position_alone<changes_its_mind> && !by_position_alone<sentence>);

// What is asked is made once per call: here the rows that see anything.
struct prepares {
  struct made {
    std::uint64_t first_keys;
    index_t keys;
    struct answer {
      const made* of;
      interval hull() const { return {0, of->keys}; }
      std::uint64_t bits(index_t key) const { return key < 64 ? of->first_keys >> key : 0; }
      index_t count() const { return std::popcount(of->first_keys); }
    };
    answer operator()(const query_row&) const { return {this}; }
  };
  int* calls;
  made prepare(const shapes& call) const { return ++*calls, made{interval{0, call.keys}.bits(0) & 0x55, call.keys}; }
};
struct prepares_no_mask {
  int prepare(const shapes&) const { return 3; }
};
static_assert(mask<prepares> && !mask<prepares_no_mask>);
static_assert(mask<prepared_mask<prepares::made>> && !by_position_alone<prepared_mask<prepares::made>> &&
              by_position_alone<prepared_mask<two_back>>);

TEST(mask, may_prepare_what_is_asked_once_per_call) {
  int calls = 0;
  auto asked = std::make_unique<prepared_mask<prepares::made>>(prepared(prepares{&calls}, shapes{.keys = 5}));
  const auto copy = *asked;
  const auto answer = visible(*asked, query_row{.keys = 5});
  asked.reset();  // a copy keeps what answers refer to
  EXPECT_EQ(answer.of, copy.asked.get());
  EXPECT_EQ(answer.bits(0), 0x15u);
  EXPECT_EQ(calls, 1);
}

TEST(mask, that_prepares_nothing_is_asked_where_it_is) {
  const sentence own{3};
  EXPECT_EQ(&prepared(own, shapes{}), &own);
}

TEST(mask, lists_runs_in_ascending_order) {
  for (index_t position = -6; position < 19; ++position) {
    index_t reached = 0;
    for_each_run(visible(untidy{}, query_row{.position = position, .keys = 12}), {0, 12}, [&](interval run) {
      EXPECT_FALSE(run.empty());
      EXPECT_GE(run.first, reached);
      reached = run.last;
    });
  }
}

}  // namespace

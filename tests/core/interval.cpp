#include <longspan/core/interval.hpp>

#include <gtest/gtest.h>

#include <random>
#include <set>

namespace {

using namespace longspan;

using keys = std::set<index_t>;

template <std::size_t N>
keys held(const intervals<N>& runs) {
  keys all;
  for (const interval& run : runs)
    for (index_t j = run.first; j < run.last; ++j) all.insert(j);
  return all;
}

keys held(interval run) { return held(intervals<1>{run}); }

keys both(const keys& a, const keys& b) {
  keys shared;
  std::set_intersection(a.begin(), a.end(), b.begin(), b.end(), std::inserter(shared, shared.end()));
  return shared;
}

// Any order, overlaps, empty and inside-out ones: what a mask may write down.
template <std::size_t N>
intervals<N> random_runs(std::mt19937& generator) {
  std::uniform_int_distribution<index_t> position(-6, 12);
  intervals<N> runs;
  for (interval& run : runs) run = {position(generator), position(generator)};
  return runs;
}

template <std::size_t N>
bool ascending(const intervals<N>& runs) {
  index_t reached = std::numeric_limits<index_t>::min();
  for (const interval& run : runs) {
    if (run.empty()) continue;
    if (run.first < reached) return false;
    reached = run.last;
  }
  return true;
}

template <class Check>
void for_random_runs(Check check) {
  std::mt19937 generator(1);
  for (int trial = 0; trial < 3000; ++trial) check(generator);
}

static_assert(interval{3, 3}.empty() && interval{5, 2}.empty() && !interval{2, 3}.empty());
static_assert(interval{5, 2}.size() == 0 && interval{-2, 3}.size() == 5);
static_assert(interval{-2, 3}.contains(-2) && !interval{-2, 3}.contains(3) && !interval{3, -2}.contains(0));
static_assert(hull(interval{}, interval{}) == interval{} && hull(interval{9, 4}, interval{7, 7}) == interval{});

TEST(interval, intersect_holds_the_keys_of_both) {
  for_random_runs([](std::mt19937& generator) {
    const auto [a, b] = random_runs<2>(generator);
    EXPECT_EQ(held(intersect(a, b)), both(held(a), held(b)));
    EXPECT_EQ(intersect(a, b).size(), index_t(both(held(a), held(b)).size()));
  });
}

TEST(interval, hull_is_the_smallest_that_holds_all) {
  for_random_runs([](std::mt19937& generator) {
    const auto runs = random_runs<3>(generator);
    const keys all = held(runs);
    EXPECT_EQ(hull(runs), all.empty() ? interval{} : (interval{*all.begin(), *all.rbegin() + 1}));
    EXPECT_EQ(hull(runs[0], runs[1]), hull(runs[1], runs[0]));
  });
}

TEST(interval, disjoint_keeps_every_key_once_in_order) {
  for_random_runs([](std::mt19937& generator) {
    const auto runs = random_runs<4>(generator);
    const auto sorted = disjoint(runs);
    EXPECT_EQ(held(sorted), held(runs));
    EXPECT_TRUE(ascending(sorted));
    EXPECT_EQ(count(sorted), index_t(held(runs).size()));
  });
}

TEST(interval, contains_agrees_with_the_keys) {
  for_random_runs([](std::mt19937& generator) {
    const auto runs = random_runs<3>(generator);
    const keys all = held(runs);
    for (index_t j = -8; j < 14; ++j) EXPECT_EQ(contains(runs, j), all.contains(j));
  });
}

template <std::size_t A, std::size_t B>
void expect_intersection(std::mt19937& generator) {
  const auto a = disjoint(random_runs<A>(generator));
  const auto b = disjoint(random_runs<B>(generator));
  const auto shared = intersect(a, b);
  static_assert(shared.size() == A + B - 1);
  EXPECT_EQ(held(shared), both(held(a), held(b)));
  EXPECT_TRUE(ascending(shared));
  EXPECT_EQ(count(shared), index_t(held(shared).size()));
}

TEST(interval, lists_intersect_to_the_keys_of_both_in_order) {
  for_random_runs([](std::mt19937& generator) {
    expect_intersection<1, 1>(generator);
    expect_intersection<1, 4>(generator);
    expect_intersection<3, 2>(generator);
    expect_intersection<4, 4>(generator);
  });
}

// Combs whose teeth interleave share as many runs as the list that answers can hold.
TEST(interval, lists_intersect_in_the_widest_case) {
  const intervals<3> comb{interval{0, 4}, {6, 10}, {12, 16}};
  const intervals<3> shifted{interval{3, 7}, {9, 13}, {15, 19}};
  const intervals<5> wanted{interval{3, 4}, {6, 7}, {9, 10}, {12, 13}, {15, 16}};
  EXPECT_EQ(intersect(comb, shifted), wanted);
}

TEST(interval, bounds_cut_every_run_of_a_list) {
  for_random_runs([](std::mt19937& generator) {
    const auto runs = random_runs<3>(generator);
    const interval bounds{-1, 7};
    EXPECT_EQ(held(intersect(runs, bounds)), both(held(runs), held(bounds)));
  });
}

}  // namespace

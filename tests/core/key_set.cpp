#include <longspan/core/at_hand.hpp>
#include <longspan/core/key_set.hpp>

#include <gtest/gtest.h>

#include <array>
#include <limits>
#include <random>
#include <set>
#include <vector>

namespace {

using namespace longspan;
using namespace longspan::detail;

using keys = std::set<index_t>;

// A set of one's own that is data, and nothing but what the concept asks for.
struct listed {
  keys held;

  interval hull() const { return held.empty() ? interval{} : interval{*held.begin(), *held.rbegin() + 1}; }
  std::uint64_t bits(index_t key) const {
    std::uint64_t all = 0;
    for (const index_t j : held)
      if (key <= j && j < key + 64) all |= std::uint64_t(1) << (j - key);
    return all;
  }
  index_t count() const { return index_t(held.size()); }
};

static_assert(key_set<interval> && key_set<any_of<1>> && key_set<any_of<4>> && key_set<listed>);
static_assert(key_set<both<any_of<2>, listed>> && key_set<at_hand<interval>> && key_set<at_hand<both<listed, interval>>>);
static_assert(!key_set<int> && !key_set<keys> && !key_set<std::array<interval, 2>>);

keys held(interval run) {
  keys all;
  for (index_t j = run.first; j < run.last; ++j) all.insert(j);
  return all;
}
template <std::size_t N>
keys held(const any_of<N>& few) {
  keys all;
  for (const interval& run : few.runs) all.merge(held(run));
  return all;
}
keys held(const listed& set) { return set.held; }

keys shared(const keys& a, const keys& b) {
  keys all;
  for (const index_t j : a)
    if (b.contains(j)) all.insert(j);
  return all;
}

interval hull_of(const keys& all) { return all.empty() ? interval{} : interval{*all.begin(), *all.rbegin() + 1}; }

std::uint64_t bits_of(const keys& all, index_t key) {
  std::uint64_t bits = 0;
  for (auto j = all.lower_bound(key); j != all.end() && *j < key + 64; ++j) bits |= std::uint64_t(1) << (*j - key);
  return bits;
}

template <class Keys>
void expect_runs(const Keys& set, interval bounds, const keys& wanted) {
  keys visited;
  index_t reached = std::numeric_limits<index_t>::min();
  for_each_run(set, bounds, [&](interval run) {
    EXPECT_FALSE(run.empty());
    EXPECT_GE(run.first, std::max(reached, bounds.first)) << "in ascending order, none twice, within the bounds";
    EXPECT_LE(run.last, bounds.last);
    reached = run.last;
    visited.merge(held(run));
  });
  EXPECT_EQ(visited, shared(wanted, held(bounds)));
  // Pieces hold all of them and are as long as need be.
  index_t counted = 0, ended = std::numeric_limits<index_t>::min();
  for_each_piece(set, bounds, [&](interval piece, index_t some) {
    const keys inside = shared(shared(wanted, held(bounds)), held(piece));
    EXPECT_TRUE(inside.contains(piece.first) && inside.contains(piece.last - 1));
    EXPECT_EQ(index_t(inside.size()), some);
    EXPECT_GE(piece.first, ended);
    EXPECT_TRUE(has_few_runs(set) || piece.size() <= 64);
    ended = piece.last, counted += some;
  });
  EXPECT_EQ(counted, index_t(shared(wanted, held(bounds)).size()));
}

// Everything that is asked of a set, against its keys one by one.
template <class Keys>
void expect_is(const Keys& set, const keys& wanted) {
  EXPECT_EQ(set.hull(), hull_of(wanted));
  EXPECT_EQ(index_t(set.count()), index_t(wanted.size()));
  const interval hull = hull_of(wanted);
  for (index_t key = hull.first - 140; key < hull.last + 140; ++key) {
    ASSERT_EQ(set.bits(key), bits_of(wanted, key)) << "from " << key;
    EXPECT_EQ(contains(set, key), wanted.contains(key)) << key;
  }
  const index_t a = hull.first, b = hull.last;
  for (const interval bounds :
       {interval{a, b}, {a - 5, b + 5}, {a + 1, b - 1}, {a + 7, a + 11}, {(a + b) / 2, b + 90}, {b, a}, {b + 1, b + 9}})
    expect_runs(set, bounds, wanted);
  // What is said to be covered is held. Intervals that only together cover some keys need not say so.
  for (index_t first = a - 2; first < b + 2; first += 3)
    for (const index_t size : {1, 2, 9, 64})
      if (covers(set, interval{first, first + size})) {
        EXPECT_EQ(shared(wanted, held({first, first + size})).size(), std::size_t(size));
      }
  if (b - a == index_t(wanted.size()) && b > a) {
    if constexpr (std::is_same_v<Keys, interval> || std::is_same_v<Keys, listed>) {
      EXPECT_TRUE(covers(set, interval{a, b}));
    }
    EXPECT_FALSE(covers(set, interval{a - 1, b}) || covers(set, interval{a, b + 1}));
  }
}

interval random_run(std::mt19937& generator, index_t longest) {
  std::uniform_int_distribution<index_t> position(-10, 180), size(-3, longest);
  const index_t first = position(generator);
  return {first, first + size(generator)};
}
// Any order, overlaps, touching, empty and inside-out ones.
template <std::size_t N>
any_of<N> random_few(std::mt19937& generator) {
  any_of<N> few;
  for (interval& run : few.runs) run = random_run(generator, 70);
  if (generator() % 4 == 0) few.runs[0].first = few.runs[N - 1].last;
  return few;
}
listed random_list(std::mt19937& generator) {
  listed set;
  const auto density = 1 + generator() % 9;
  const interval run = random_run(generator, 150);
  for (index_t j = run.first; j < run.last; ++j)
    if (generator() % 10 < density) set.held.insert(j);
  return set;
}

template <class Check>
void for_random_sets(Check check) {
  std::mt19937 generator(1);
  for (int trial = 0; trial < 150 && !testing::Test::HasFailure(); ++trial) check(generator);
}

TEST(key_set, an_interval_is_one) {
  for_random_sets([](std::mt19937& generator) {
    const interval run = random_run(generator, 150);
    expect_is(run, held(run));
  });
}

TEST(key_set, a_few_intervals_are_one) {
  for_random_sets([](std::mt19937& generator) {
    const auto one = random_few<1>(generator);
    const auto two = random_few<2>(generator);
    const auto five = random_few<5>(generator);
    expect_is(one, held(one)), expect_is(two, held(two)), expect_is(five, held(five));
  });
}

TEST(key_set, a_few_intervals_far_from_the_origin) {
  constexpr index_t far = index_t(1) << 40;
  const any_of<2> few{interval{far + 70, far + 75}, {far, far + 3}};
  EXPECT_EQ(few.count(), 8);
  EXPECT_EQ(few.hull(), (interval{far, far + 75}));
  EXPECT_EQ(few.bits(far), 0b111u);
  EXPECT_EQ(few.bits(far + 64), 0b11111000000u);
}

TEST(key_set, one_s_own_needs_hull_bits_and_count_alone) {
  for_random_sets([](std::mt19937& generator) {
    const listed set = random_list(generator);
    expect_is(set, set.held);
  });
  expect_is(listed{}, {});
  expect_is(listed{{5}}, {5});
  expect_is(listed{held({3, 200})}, held({3, 200}));
}

template <class A, class B>
void expect_intersection(const A& a, const B& b) {
  expect_is(intersect(a, b), shared(held(a), held(b)));
  expect_is(intersect(b, a), shared(held(a), held(b)));
  expect_is(both<A, B>(a, b), shared(held(a), held(b)));
}

TEST(key_set, sets_of_all_kinds_intersect_to_the_keys_of_both) {
  for_random_sets([](std::mt19937& generator) {
    const interval run = random_run(generator, 150);
    const auto few = random_few<3>(generator), others = random_few<3>(generator);
    const listed list = random_list(generator), more = random_list(generator);
    expect_intersection(few, others), expect_intersection(few, list), expect_intersection(list, more);
    expect_intersection(run, list), expect_intersection(random_few<1>(generator), others);
    expect_is(intersect(run, few), shared(held(run), held(few)));
    expect_is(intersect(few, run), shared(held(run), held(few)));
    expect_is(intersection(list), list.held);
    expect_is(intersection(run, few, list), shared(shared(held(run), held(few)), list.held));
    expect_is(intersection(list, run, more, few), shared(shared(held(run), held(few)), shared(list.held, more.held)));
  });
  const interval run{3, 9};
  const any_of<3> few{interval{0, 4}, {6, 10}, {12, 16}};
  static_assert(std::is_same_v<decltype(intersect(run, run)), interval> &&
                std::is_same_v<decltype(intersect(run, few)), any_of<3>> &&
                std::is_same_v<decltype(intersection(few, run, run)), any_of<3>>);
}

// Combs whose teeth interleave.
TEST(key_set, few_intersect_in_the_widest_case) {
  const any_of<3> comb{interval{0, 4}, {6, 10}, {12, 16}}, shifted{interval{3, 7}, {9, 13}, {15, 19}};
  const auto shared_runs = intersect(comb, shifted);
  std::vector<interval> runs;
  for_each_run(shared_runs, shared_runs.hull(), [&](interval run) { runs.push_back(run); });
  EXPECT_EQ(runs, (std::vector<interval>{{3, 4}, {6, 7}, {9, 10}, {12, 13}, {15, 16}}));
  EXPECT_EQ(shared_runs.count(), 5);
}

// Keys at hand count from the first of the tensor.
template <class Keys>
void expect_at_hand(const Keys& set, interval tensor) {
  keys wanted;
  for (const index_t j : held(set))
    if (tensor.contains(j)) wanted.insert(j - tensor.first);
  const at_hand<Keys> some{&set, tensor};
  EXPECT_EQ(index_t(some.count()), index_t(wanted.size()));
  for (const index_t j : wanted) EXPECT_TRUE(some.hull().contains(j));
  if (!wanted.empty() && set.hull() == hull_of(held(set))) {
    // The hull of the whole, cut: it holds what is at hand.
    EXPECT_TRUE(0 <= some.hull().first && some.hull().last <= tensor.size());
  }
  for (index_t key = 0; key < tensor.size() + 64; ++key) {
    ASSERT_EQ(some.bits(key), bits_of(wanted, key)) << "from " << key;
    EXPECT_EQ(contains(some, key), wanted.contains(key)) << key;
  }
  for (const interval bounds : {interval{0, tensor.size()}, {1, 70}, {64, 128}, {tensor.size() - 1, tensor.size()}, {5, 5}})
    expect_runs(some, bounds, wanted);
  for (index_t first = -1; first < tensor.size(); first += 7)
    for (const index_t size : {1, 3, 64})
      if (covers(some, interval{first, first + size})) {
        EXPECT_EQ(shared(wanted, held({first, first + size})).size(), std::size_t(size));
      }
}

TEST(key_set, what_is_at_hand_counts_from_the_first_of_the_tensor) {
  for_random_sets([](std::mt19937& generator) {
    const index_t first = index_t(generator() % 90), last = first + index_t(generator() % 130);
    const interval run = random_run(generator, 150);
    const auto few = random_few<3>(generator);
    const listed list = random_list(generator);
    expect_at_hand(run, {first, last}), expect_at_hand(few, {first, last}), expect_at_hand(list, {first, last});
  });
}

TEST(key_set, what_is_at_hand_covers_no_key_beyond_the_tensor) {
  const interval whole{0, 1000};
  const at_hand<interval> some{&whole, {100, 200}};
  EXPECT_TRUE(covers(some, interval{0, 100}));
  EXPECT_FALSE(covers(some, interval{0, 101}) || covers(some, interval{-1, 50}));
  EXPECT_EQ(some.hull(), (interval{0, 100}));
  EXPECT_EQ(some.bits(64), (interval{0, 36}.bits(0)));
}

// A set of one's own with functions named like those that the library's sets have, of another meaning.
struct every_second {
  interval hull() const { return {0, 100}; }
  std::uint64_t bits(index_t) const { return 0x5555'5555'5555'5555; }
  index_t count() const { return 50; }
  bool covers(interval) const { return true; }
  template <class Visit>
  void for_each_run(interval, Visit) const {}
};

TEST(key_set, of_ones_own_is_asked_for_hull_bits_and_count_alone) {
  EXPECT_FALSE(covers(every_second{}, interval{0, 100}));
  index_t count = 0;
  for_each_run(every_second{}, {0, 100}, [&](interval run) { count += run.size(); });
  EXPECT_EQ(count, 50);
}

TEST(key_set, of_as_many_keys_as_its_hull_is_one_run) {
  const listed whole{held({3, 200})}, gap{{3, 5}};
  EXPECT_TRUE(has_few_runs(whole) && has_few_runs(interval{3, 9}) && has_few_runs(any_of<2>{}));
  EXPECT_TRUE(has_few_runs(both<listed, interval>(whole, {0, 100})) && !has_few_runs(both<listed, listed>(whole, gap)));
  EXPECT_FALSE(has_few_runs(gap) || has_few_runs(at_hand<listed>{&gap, {0, 9}}));
  index_t runs = 0;
  for_each_run(whole, {5, 150}, [&](interval run) {
    EXPECT_EQ(run, (interval{5, 150}));
    ++runs;
  });
  EXPECT_EQ(runs, 1);
}

TEST(key_set, runs_of_bits_ascend) {
  std::mt19937_64 generator(3);
  const std::vector<std::uint64_t> edges{0,
                                         1,
                                         ~std::uint64_t(0),
                                         std::uint64_t(1) << 63,
                                         0x8000'0000'0000'0001,
                                         0x5555'5555'5555'5555,
                                         0xffff'ffff'0000'0000,
                                         0x7fff'ffff'ffff'ffff};
  for (std::size_t trial = 0; trial < 500; ++trial) {
    const std::uint64_t bits = trial < edges.size() ? edges[trial]
                               : trial % 2 == 0     ? generator()
                                                    : generator() & generator() & generator();
    std::uint64_t visited = 0;
    index_t reached = -1;
    for_each_run_of_bits(bits, [&](interval run) {
      EXPECT_FALSE(run.empty());
      EXPECT_GT(run.first, reached) << "whole runs: a hidden key between two of them";
      reached = run.last;
      visited |= run.bits(0);
    });
    EXPECT_EQ(visited, bits);
  }
}

}  // namespace

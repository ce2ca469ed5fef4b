#include <longspan/core/interval.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <iterator>
#include <limits>
#include <random>
#include <set>
#include <vector>

namespace {

using namespace longspan;
using namespace longspan::detail;

using keys = std::set<index_t>;

keys held(interval run) {
  keys all;
  for (index_t j = run.first; j < run.last; ++j) all.insert(j);
  return all;
}

keys both(const keys& a, const keys& b) {
  keys shared;
  std::set_intersection(a.begin(), a.end(), b.begin(), b.end(), std::inserter(shared, shared.end()));
  return shared;
}

// Empty and inside-out ones too: what a mask may write down.
template <class Check>
void for_random_pairs(Check check) {
  std::mt19937 generator(1);
  std::uniform_int_distribution<index_t> position(-6, 12);
  const auto run = [&] { return interval{position(generator), position(generator)}; };
  for (int trial = 0; trial < 3000; ++trial) check(run(), run());
}

static_assert(interval{3, 3}.empty() && interval{5, 2}.empty() && !interval{2, 3}.empty());
static_assert(interval{5, 2}.size() == 0 && interval{-2, 3}.size() == 5);
static_assert(interval{5, 2}.count() == 0 && interval{-2, 3}.count() == 5);
static_assert(interval{-2, 3}.contains(-2) && !interval{-2, 3}.contains(3) && !interval{3, -2}.contains(0));
static_assert(interval{-2, 3}.hull() == interval{-2, 3} && interval{5, 2}.hull() == interval{} &&
              interval{7, 7}.hull() == interval{});
static_assert(hull(interval{}, interval{}) == interval{} && hull(interval{9, 4}, interval{7, 7}) == interval{});
static_assert(interval{0, 64}.bits(0) == ~std::uint64_t(0) && interval{}.bits(0) == 0);

TEST(interval, intersect_holds_the_keys_of_both) {
  for_random_pairs([](interval a, interval b) {
    EXPECT_EQ(held(intersect(a, b)), both(held(a), held(b)));
    EXPECT_EQ(intersect(a, b).size(), index_t(both(held(a), held(b)).size()));
  });
}

TEST(interval, hull_is_the_smallest_that_holds_both) {
  for_random_pairs([](interval a, interval b) {
    keys all = held(a);
    all.merge(held(b));
    EXPECT_EQ(hull(a, b), all.empty() ? interval{} : (interval{*all.begin(), *all.rbegin() + 1}));
    EXPECT_EQ(hull(a, b), hull(b, a));
  });
}

TEST(interval, has_the_bits_of_64_keys_from_any_key_on) {
  for (const interval run :
       {interval{0, 1}, {0, 63}, {0, 64}, {0, 65}, {3, 3}, {9, 2}, {5, 200}, {-7, 30}, {-90, -2}, {63, 64}, {100, 164}})
    for (index_t key = -200; key < 300; ++key) {
      std::uint64_t wanted = 0;
      for (index_t b = 0; b < 64; ++b) wanted |= std::uint64_t(run.contains(key + b)) << b;
      ASSERT_EQ(run.bits(key), wanted) << run.first << " to " << run.last << " from " << key;
    }
}

TEST(interval, has_bits_where_32_bits_do_not_reach) {
  constexpr index_t far = index_t(1) << 40;
  EXPECT_EQ((interval{far + 3, far + 5}.bits(far)), 0b11000u);
  EXPECT_EQ((interval{0, far + 2}.bits(far)), 0b11u);
  EXPECT_EQ((interval{0, far}.bits(far)), 0u);
  EXPECT_EQ((interval{0, far}.bits(5)), ~std::uint64_t(0));
  EXPECT_EQ((interval{far, 2 * far}.bits(0)), 0u);
}

TEST(interval, is_cut_at_the_multiples_of_a_number) {
  const auto parts = [](interval all, index_t number) {
    std::vector<interval> found;
    cut_at_multiples(all, number, [&](interval part) { found.push_back(part); });
    return found;
  };
  EXPECT_EQ(parts({5, 30}, 10), (std::vector<interval>{{5, 10}, {10, 20}, {20, 30}}));
  EXPECT_EQ(parts({20, 21}, 10), (std::vector<interval>{{20, 21}}));
  EXPECT_EQ(parts({12, 19}, 10), (std::vector<interval>{{12, 19}}));
  EXPECT_EQ(parts({7, 7}, 10), std::vector<interval>{});
}

}  // namespace

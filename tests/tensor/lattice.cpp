#include <longspan/tensor/lattice.hpp>

#include <gtest/gtest.h>

#include <random>
#include <set>
#include <vector>

namespace {

using namespace longspan;
using namespace longspan::detail;

struct axis {
  index_t stride, most;
};

std::set<index_t> sums(const std::vector<axis>& axes) {
  std::set<index_t> all{0};
  for (const auto& [stride, most] : axes) {
    std::set<index_t> longer;
    for (const index_t sum : all)
      for (index_t x = 0; x <= most; ++x) longer.insert(sum + x * stride);
    all = std::move(longer);
  }
  return all;
}

bool meets(const std::vector<axis>& axes, index_t low, index_t high) {
  lattice all;
  for (const auto& [stride, most] : axes) all.add(stride, most);
  return all.meets(low, high);
}

// Every target around the sums of small random lattices, as a point and as an interval.
TEST(lattice, meets_what_its_sums_meet) {
  std::mt19937 random(1);
  const auto number = [&](index_t first, index_t last) { return std::uniform_int_distribution<index_t>(first, last)(random); };
  for (int trial = 0; trial < 2000; ++trial) {
    std::vector<axis> axes(std::size_t(number(0, 5)));
    const index_t scale = number(1, 4);
    for (axis& each : axes) each = {number(-9, 9) * (number(0, 2) == 0 ? 1 : scale), number(0, 4)};
    const auto all = sums(axes);
    for (index_t low = *all.begin() - 5; low <= *all.rbegin() + 5; ++low)
      for (const index_t width : {0, 1, 3}) {
        const auto next = all.lower_bound(low);
        ASSERT_EQ(meets(axes, low, low + width), next != all.end() && *next <= low + width) << trial << " at " << low;
      }
  }
}

TEST(lattice, of_no_axis_is_zero) {
  EXPECT_TRUE(meets({}, 0, 0) && meets({}, -1, 1));
  EXPECT_FALSE(meets({}, 1, 5) || meets({}, -2, -1));
  EXPECT_TRUE(meets({{0, 9}, {7, 0}}, 0, 0));
}

// Strides that nest are decided in a few steps, however long their axes are: here (text, slot, token, head, channel), twice.
TEST(lattice, that_nests_is_quick) {
  lattice apart;
  for (const index_t sign : {1, -1}) {
    apart.add(sign * 1000000007, 1000);
    apart.add(sign * 3 * 4096, 30000);
    apart.add(sign * 130, 31);
    apart.add(sign, 127);
  }
  lattice near = apart;
  EXPECT_FALSE(apart.meets(31 * 130 + 127 + 1, 3 * 4096 - 31 * 130 - 127 - 1, 64));
  EXPECT_TRUE(near.meets(31 * 130 + 127, 31 * 130 + 127, 10000));
}

// A knapsack of large strides that share no divisor is not searched for ever: it counts as met.
TEST(lattice, gives_up_on_the_safe_side) {
  const std::vector<axis> axes{{100003, 4000}, {100019, 4000}, {100043, 4000}, {100049, 4000}, {200003, 4000}, {300007, 4000}};
  lattice all;
  for (const auto& [stride, most] : axes) all.add(stride, most);
  EXPECT_TRUE(all.meets(100001, 100002, 1));
}

}  // namespace

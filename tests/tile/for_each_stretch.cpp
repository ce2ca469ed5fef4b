#include <longspan/tile/for_each_stretch.hpp>

#include <gtest/gtest.h>

#include <array>
#include <cstdint>
#include <random>
#include <vector>

namespace {

using namespace longspan;
using namespace longspan::detail;

// By brute force: a stretch begins at the first seen key of adjacent panels that hold one and ends behind the last.
TEST(for_each_stretch, joins_adjacent_panels_that_hold_a_seen_key) {
  std::mt19937_64 generator(5);
  for (int trial = 0; trial < 300; ++trial) {
    std::array<std::uint64_t, 6> panels;
    for (auto& bits : panels) bits = generator() % 3 == 0 ? 0 : generator() & generator() & generator();
    std::vector<interval> wanted, got;
    for (index_t p = 0; p < 6; ++p) {
      if (panels[std::size_t(p)] == 0) continue;
      const bool joins = p > 0 && panels[std::size_t(p - 1)] != 0;
      index_t first = 0, last = 63;
      while ((panels[std::size_t(p)] >> first & 1) == 0) ++first;
      while ((panels[std::size_t(p)] >> last & 1) == 0) --last;
      if (!joins) wanted.push_back({64 * (p + 3) + first, 0});
      wanted.back().last = 64 * (p + 3) + last + 1;
    }
    for_each_stretch(panels, 3, [&](interval keys) { got.push_back(keys); });
    EXPECT_EQ(got, wanted);
  }
}

}  // namespace

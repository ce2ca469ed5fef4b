#include <longspan/transform/distances_to.hpp>

#include <gtest/gtest.h>

#include <cstdlib>

namespace {

using namespace longspan;
using namespace longspan::detail;

TEST(distances_to, are_the_least_and_the_largest) {
  for (index_t position = -3; position < 12; ++position)
    for (index_t first = 0; first < 9; ++first)
      for (index_t last = first + 1; last < 10; ++last) {
        index_t nearest = 100, farthest = 0;
        for (index_t j = first; j < last; ++j)
          nearest = std::min(nearest, std::abs(position - j)), farthest = std::max(farthest, std::abs(position - j));
        const auto got = distances_to({.position = position}, {first, last});
        EXPECT_EQ(got.nearest, nearest);
        EXPECT_EQ(got.farthest, farthest);
      }
}

}  // namespace

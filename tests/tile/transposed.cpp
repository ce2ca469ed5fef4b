#include <longspan/tile/transposed.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <random>
#include <vector>

namespace {

using namespace longspan;
using namespace longspan::detail;

using words = std::vector<std::uint64_t>;

bool seen(std::uint64_t row, index_t key) { return (row >> key & 1) != 0; }

std::uint64_t random_row(std::mt19937_64& generator) {
  switch (generator() % 8) {
    case 0:
      return 0;
    case 1:
      return ~std::uint64_t(0);
    case 2:
      return generator();
    case 3:
      return generator() & generator() & generator();
    case 4:
      return generator() | generator() | generator();
    case 5:
      return std::uint64_t(1) << generator() % 64;
    case 6:
      return ~std::uint64_t(0) << generator() % 64;  // a window
    default:
      return ~std::uint64_t(0) >> generator() % 64;  // the edge of a causal mask
  }
}

TEST(transposed, exchanges_row_and_key) {
  std::mt19937_64 generator(9);
  for (std::size_t rows = 0; rows <= 64; ++rows) {
    words some(rows);
    for (std::uint64_t& row : some) row = random_row(generator);
    const auto by_key = transposed(some);
    for (index_t key = 0; key < 64; ++key)
      for (index_t r = 0; r < 64; ++r)
        ASSERT_EQ(seen(by_key[std::size_t(key)], r), r < index_t(rows) && seen(some[std::size_t(r)], key)) << rows << " rows";
    if (rows == 64) {
      const auto back = transposed(by_key);
      EXPECT_TRUE(std::ranges::equal(back, some));
    }
  }
}

}  // namespace

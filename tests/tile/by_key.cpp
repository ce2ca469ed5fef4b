#include <longspan/tile/by_key.hpp>

#include <gtest/gtest.h>

#include <array>

namespace {

using namespace longspan;
using namespace longspan::detail;

TEST(by_key, finds_numbers_and_rows_from_the_first_key_on) {
  std::array<float, 24> memory;
  const by_key<float> numbers{memory.data(), 100};
  const by_key<const float> rows{memory.data(), 100, 6};
  for (index_t key = 100; key < 124; ++key) EXPECT_EQ(numbers.at(key), memory.data() + (key - 100));
  for (index_t key = 100; key < 104; ++key) EXPECT_EQ(rows.at(key), memory.data() + 6 * (key - 100));
}

TEST(by_key, finds_the_word_that_keys_share) {
  std::array<float, 24> memory;
  const by_key<float, 2> rows{memory.data(), 64, 6};
  for (index_t key = 64; key < 72; ++key) EXPECT_EQ(rows.at(key), memory.data() + 6 * ((key - 64) / 2));
}

}  // namespace

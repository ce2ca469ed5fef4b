#include <longspan/tile/split_by_row.hpp>

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

// Every seen key of every row is delivered once, in ascending order; together what all rows see alone; in whole words where it can be.
template <index_t PerWord>
void expect_split(const words& rows) {
  std::vector<std::array<int, 64>> delivered(rows.size(), std::array<int, 64>{});
  std::vector<index_t> reached(rows.size(), -1);
  const auto take = [&](std::size_t r, index_t key) {
    EXPECT_GT(key, reached[r]) << "row " << r << " in ascending order";
    reached[r] = key;
    ++delivered[r][std::size_t(key)];
  };
  std::uint64_t whole_of_all = ~std::uint64_t(0);
  for (const std::uint64_t row : rows) whole_of_all &= row;
  std::uint64_t met = 0;
  split_by_row<PerWord>(
      rows,
      [&](interval keys) {
        EXPECT_FALSE(keys.empty());
        EXPECT_EQ(keys.first % PerWord, 0);
        EXPECT_EQ(keys.last % PerWord, 0);
        met |= keys.bits(0);
        for (std::size_t r = 0; r < rows.size(); ++r)
          for (index_t key = keys.first; key < keys.last; ++key) {
            EXPECT_TRUE(seen(rows[r], key)) << "together only what all see";
            take(r, key);
          }
      },
      [&](index_t r, interval keys) {
        const std::uint64_t row = rows.at(std::size_t(r));
        EXPECT_FALSE(keys.empty());
        // Whole words, or one key of a word of which another is hidden.
        if (keys.first % PerWord != 0 || keys.last % PerWord != 0) {
          EXPECT_EQ(keys.size(), 1);
          EXPECT_FALSE(seen(row, keys.first ^ 1));
        }
        for (index_t key = keys.first; key < keys.last; ++key) take(std::size_t(r), key);
      });
  for (std::size_t r = 0; r < rows.size(); ++r)
    for (index_t key = 0; key < 64; ++key)
      ASSERT_EQ(delivered[r][std::size_t(key)], seen(rows[r], key)) << "row " << r << " key " << key;
  for (index_t key = 0; key < 64; key += PerWord) {
    bool whole = true;
    for (index_t k = key; k < key + PerWord; ++k) whole = whole && seen(whole_of_all, k);
    EXPECT_EQ(seen(met, key), whole) << "words that all rows see whole go together";
  }
}

template <index_t PerWord>
void expect_splits() {
  std::mt19937_64 generator(PerWord);
  for (int trial = 0; trial < 1500 && !testing::Test::HasFailure(); ++trial) {
    words rows(1 + generator() % 8);
    for (std::uint64_t& row : rows) row = random_row(generator);
    if (trial % 3 == 0) {  // much in common, as under a window
      const std::uint64_t common = random_row(generator);
      for (std::uint64_t& row : rows) row |= common;
    }
    expect_split<PerWord>(rows);
  }
}

TEST(split_by_row, delivers_what_all_rows_see_and_what_each_sees_alone) { expect_splits<1>(); }
TEST(split_by_row, split_into_whole_words_of_two_keys) { expect_splits<2>(); }

// One after the other, along keys: before a run that all see come the keys of each row before it.
TEST(split_by_row, deliver_in_one_order) {
  std::vector<std::array<index_t, 3>> calls;  // row (-1: together), first, last
  const auto note = [&](index_t r, interval keys) { calls.push_back({r, keys.first, keys.last}); };
  split_by_row(words{0b1111'0110, 0b0111'0011}, [&](interval keys) { note(-1, keys); }, note);
  EXPECT_EQ(calls, (std::vector<std::array<index_t, 3>>{{1, 0, 1}, {-1, 1, 2}, {0, 2, 3}, {-1, 4, 7}, {0, 7, 8}}));
  calls.clear();
  split_by_row<2>(words{0b1111'0110, 0b0111'0011}, [&](interval keys) { note(-1, keys); }, note);
  EXPECT_EQ(calls, (std::vector<std::array<index_t, 3>>{{0, 1, 2}, {0, 2, 3}, {1, 0, 2}, {-1, 4, 6}, {0, 6, 8}, {1, 6, 7}}));
}

// What a row gets does not depend on its neighbours: the sums of a row have the same bits whatever they see. Keys one after the other,
// and in words that are multiplied whole or one by one.
TEST(split_by_row, split_a_row_into_the_same_words_whatever_its_neighbours_see) {
  std::mt19937_64 generator(5);
  const auto words_of_first = [](const words& rows) {
    std::vector<std::array<index_t, 2>> got;  // word, keys of it
    const auto note = [&](interval keys) {
      for (index_t key = keys.first; key < keys.last;) {
        const index_t count = keys.size() > 1 ? 2 : 1;
        got.push_back({key, count});
        key += count;
      }
    };
    split_by_row<2>(rows, note, [&](index_t r, interval keys) {
      if (r == 0) note(keys);
    });
    return got;
  };
  for (int trial = 0; trial < 500; ++trial) {
    const std::uint64_t own = random_row(generator);
    const auto alone = words_of_first({own});
    for (int other = 0; other < 4; ++other) EXPECT_EQ(words_of_first({own, random_row(generator), random_row(generator)}), alone);
  }
}

TEST(split_by_row, whole_words_are_those_of_which_every_key_is_seen) {
  std::mt19937_64 generator(7);
  for (int trial = 0; trial < 500; ++trial) {
    const std::uint64_t row = random_row(generator), pairs = whole_words<2>(row);
    EXPECT_EQ(whole_words<1>(row), row);
    for (index_t key = 0; key < 64; ++key) EXPECT_EQ(seen(pairs, key), seen(row, key) && seen(row, key ^ 1));
  }
}

TEST(split_by_row, transposed_exchange_row_and_key) {
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

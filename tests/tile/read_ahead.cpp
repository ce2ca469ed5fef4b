#include <longspan/tile/read_ahead.hpp>

#include <gtest/gtest.h>

#include <cstdint>
#include <vector>

namespace {

using longspan::index_t, longspan::detail::memory_rows, longspan::detail::read_ahead, longspan::detail::shared_ahead;
using addresses = std::vector<std::intptr_t>;

addresses walked(read_ahead& memory, index_t bytes) {
  addresses lines;
  memory.walk(bytes, [&](std::intptr_t at, auto) { lines.push_back(at); });
  return lines;
}

TEST(read_ahead, goes_line_by_line_through_rows_and_then_to_the_next_part) {
  const memory_rows rows[] = {memory_rows{1024, 512, 100, 2}, memory_rows{8000, 64, 64, 0}, memory_rows{9024, -64, 64, 2}};
  read_ahead memory(rows, false);
  EXPECT_EQ(walked(memory, 64), (addresses{1024}));
  EXPECT_EQ(walked(memory, 36 + 64), (addresses{1088, 1536}));
  EXPECT_EQ(walked(memory, 36 + 1), (addresses{1600, 9024}));
  EXPECT_EQ(walked(memory, 1000), (addresses{8960}));
  EXPECT_EQ(walked(memory, 1000), addresses{});
}

TEST(read_ahead, finds_every_line_of_a_row_that_begins_within_one) {
  const memory_rows rows[] = {memory_rows{1000, 500, 100, 2}};
  read_ahead memory(rows, false);  // bytes 1000 to 1099 and 1500 to 1599
  EXPECT_EQ(walked(memory, 100), (addresses{960, 1024, 1088}));
  EXPECT_EQ(walked(memory, 100), (addresses{1472, 1536}));
}

// Lines that two rows share are not asked for twice.
TEST(read_ahead, rows_without_gaps_are_one) {
  const memory_rows rows[] = {memory_rows{0, 40, 40, 5}};
  read_ahead memory(rows, false);
  EXPECT_EQ(walked(memory, 1000), (addresses{0, 64, 128, 192}));
}

TEST(read_ahead, of_nothing_asks_nothing) {
  const memory_rows rows[] = {{100, 0, 0, 7}};
  read_ahead none, empty(rows, false);
  EXPECT_EQ(walked(none, 1000), addresses{});
  EXPECT_EQ(walked(empty, 1000), addresses{});
}

// A window of 32 KiB and what is left of a row: a line of each quarter in turn, and the next row by itself if it is short.
TEST(read_ahead, goes_through_the_quarters_of_a_window_side_by_side) {
  constexpr index_t line = 64, window = 32 * 1024, rest = 8 * 1024 + line;
  const memory_rows rows[] = {memory_rows{1 << 20, 0, window + rest, 1}, memory_rows{0, 0, 2 * line, 1}};
  read_ahead memory(rows, true);
  addresses expected;
  const auto expect_quarters = [&](std::intptr_t from, index_t bytes) {
    for (index_t at = 0; at < bytes / 4; at += line)
      for (index_t quarter = 0; quarter < 4; ++quarter) expected.push_back(from + quarter * bytes / 4 + at);
  };
  expect_quarters(1 << 20, window);
  expect_quarters((1 << 20) + window, rest - line);
  expected.insert(expected.end(), {(1 << 20) + window + rest - line, 0, line});
  EXPECT_EQ(walked(memory, 1 << 20), expected);
}

// Whatever a reader asks, when it comes to a window the whole of it was asked for.
TEST(read_ahead, asks_for_a_window_before_its_reader_comes_to_it) {
  constexpr index_t line = 64, window = 32 * 1024;
  const memory_rows rows[] = {memory_rows{0, 0, 4 * window, 1}};
  read_ahead memory(rows, true);
  std::vector<bool> asked(std::size_t(4 * window / line));
  const auto ask = [&](index_t bytes) {
    for (const std::intptr_t at : walked(memory, bytes)) asked[std::size_t(at / line)] = true;
  };
  ask(line);
  for (index_t read = 0; read < 4 * window; read += line) {
    EXPECT_TRUE(asked[std::size_t(read / line)]) << read;
    ask(line);
  }
}

// It asks, and neither reads nor writes: addresses that nobody owns are as good as any.
TEST(read_ahead, touches_nothing) {
  const memory_rows rows[] = {{0, 1 << 20, 40, 1000}, {0, -12345, 4096, 1000}};
  read_ahead nowhere(rows);
  nowhere.ask(1 << 20);
}

// Of two passes over the same bytes every second ask moves on, by what one pass asks for.
TEST(read_ahead, is_shared_by_the_passes_over_the_same_bytes) {
  const memory_rows rows[] = {memory_rows{0, 512, 512, 4}};
  read_ahead memory(rows, false);
  shared_ahead shared(memory, 2);
  for (int ask = 0; ask < 7; ++ask) shared.ask(128);
  read_ahead after = shared.ahead();
  EXPECT_EQ(walked(after, 64), (addresses{3 * 128}));
  EXPECT_EQ(walked(memory, 64), (addresses{0}));  // its own state is untouched
}

// The short loop goes as far as the other, across the ends of rows too.
TEST(read_ahead, asked_quickly_goes_as_far) {
  for (const index_t stride : {192, 448, 8192})
    for (const index_t bytes : {64, 128, 192, 320}) {
      const memory_rows rows[] = {{1024, stride, stride == 8192 ? 5000 : 192, 5}};
      read_ahead one(rows, stride == 8192), other = one;
      for (int ask = 0; ask < 2; ++ask) one.ask(bytes), other.ask_quickly(bytes);
      EXPECT_EQ(walked(one, 64), walked(other, 64)) << stride << ", " << bytes;
    }
}

}  // namespace

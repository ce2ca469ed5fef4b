#include <longspan/kernel/decode_slots.hpp>

#include <gtest/gtest.h>

#include <array>
#include <vector>

#include "support/lanes.hpp"

namespace {

using namespace longspan;
using namespace longspan::detail;
using testing_support::lanes_of;

// Every slot is filled before any is read: none stands in another's place.
template <class T>
void expect_what_was_put(index_t heads, index_t tiles, index_t rows, index_t width) {
  decode_slots<T> slots(width);
  for (index_t h = 0; h < heads; ++h) slots.add(tiles + h % 2, rows + h % 3);
  const auto each = [&](auto visit) {
    for (index_t h = 0; h < heads; ++h)
      for (index_t t = 0; t < tiles + h % 2; ++t)
        for (index_t r = 0; r < rows + h % 3; ++r) visit(h, t, r, T(1 + (h * 100 + t) * 100 + r));
  };
  each([&](index_t h, index_t t, index_t r, T number) {
    std::vector<T> output(std::size_t(width), number);
    output.back() = -number;
    slots.put(h, t, r, {number / 2, batch<T>(number / 4)}, output.data());
  });
  each([&](index_t h, index_t t, index_t r, T number) {
    EXPECT_EQ(slots.part(h, t, r).maximum, number / 2);
    for (const T lane : lanes_of(slots.part(h, t, r).sum)) EXPECT_EQ(lane, number / 4);
    for (index_t c = 0; c < width; ++c) EXPECT_EQ(slots.output(h, t, r)[c], c == width - 1 ? -number : number);
  });
}

// Heads differ in tiles and in rows.
TEST(decode_slots, keep_what_each_row_of_each_tile_of_each_head_left) {
  for (const std::array<index_t, 4> of :
       {std::array<index_t, 4>{1, 1, 1, 1}, {1, 5, 1, 16}, {3, 1, 7, 8}, {2, 9, 6, 48}, {4, 3, 48, 16}}) {
    expect_what_was_put<float>(of[0], of[1], of[2], of[3]);
    expect_what_was_put<double>(of[0], of[1], of[2], of[3]);
  }
}

TEST(decode_slots, of_no_tiles_and_of_no_rows_take_nothing) {
  decode_slots<float> slots(16);
  slots.add(0, 2), slots.add(2, 0), slots.add(1, 1);
  const std::vector<float> output(16, 3.f);
  slots.put(2, 0, 0, {}, output.data());
  EXPECT_EQ(slots.output(2, 0, 0)[15], 3);
  EXPECT_EQ(decode_slots<float>::bytes(0, 2, 16), 0);
}

// A decoding call takes as many heads at once as a MiB of parts holds.
TEST(decode_slots, tell_the_bytes_of_a_head) {
  EXPECT_EQ(decode_slots<float>::bytes(7, 3, 16), 7 * 3 * (16 * 4 + index_t(sizeof(softmax_part<float>))));
  EXPECT_EQ(decode_slots<double>::bytes(2, 1, 40), 2 * (40 * 8 + index_t(sizeof(softmax_part<double>))));
}

}  // namespace

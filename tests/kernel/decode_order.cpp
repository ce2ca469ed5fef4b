#include <longspan/kernel/decode_order.hpp>

#include <gtest/gtest.h>

#include <cstdint>
#include <vector>

#include <longspan/longspan.hpp>

namespace {

using namespace longspan;
using namespace longspan::detail;

// What decode_order asks of a mechanism: its lengths, and what each key head needs.
struct mechanism_of_a_call {
  shapes lengths;
  struct {
    std::vector<interval> of_head;  // counted through the batch
    index_t key_heads;

    interval needed(index_t b, index_t g, interval some) const {
      return intersect(of_head[std::size_t(b * key_heads + g)], some);
    }
  } seen;
};

constexpr index_t tile_keys = 128;

// Three tiles a head, the last one of 44 keys.
mechanism_of_a_call two_texts(std::vector<interval> of_head) {
  return {{.batch = 2, .heads = 6, .key_heads = 3, .queries = 1, .keys = 300, .channels = 8, .value_channels = 5},
          {std::move(of_head), 3}};
}

TEST(decode_order, numbers_tiles_head_by_head_first_keys_first) {
  const auto mechanism = two_texts(std::vector<interval>(6, interval{0, 300}));
  decode_order<mechanism_of_a_call> order(mechanism, tile_keys, false);
  EXPECT_EQ(order.tiles_of(mechanism.lengths, tile_keys), 3);
  order.begin(2, 3);  // the last head of the first text, two of the second
  EXPECT_EQ(order.heads(), 3);
  EXPECT_EQ(order.items(), 9);
  index_t item = 0;
  for (index_t w = 0; w < 3; ++w)
    for (index_t t = 0; t < 3; ++t, ++item) {
      EXPECT_EQ(order.head_of(item), w);
      EXPECT_EQ(order.tile_of(item), t);
      EXPECT_EQ(order.first_key(item), 128 * t);
      EXPECT_EQ(order.needed(item), (interval{128 * t, std::min<index_t>(128 * t + 128, 300)}));
      EXPECT_EQ(order.head(w).batch, (2 + w) / 3);
      EXPECT_EQ(order.head(w).head, (2 + w) % 3);
    }
  order.begin(5, 1);
  EXPECT_EQ(order.items(), 3);
  EXPECT_EQ(order.head(0).batch, 1);
  EXPECT_EQ(order.head(0).head, 2);
}

TEST(decode_order, numbers_all_heads_of_a_tile_before_the_next_where_they_lie_side_by_side) {
  const auto mechanism = two_texts({{0, 300}, {0, 300}, {0, 300}, {0, 200}, {0, 300}, {0, 300}});
  decode_order<mechanism_of_a_call> order(mechanism, tile_keys, true);
  order.begin(2, 3);
  ASSERT_EQ(order.items(), 9);
  index_t item = 0;
  for (index_t t = 0; t < 3; ++t)
    for (index_t w = 0; w < 3; ++w, ++item) {
      EXPECT_EQ(order.head_of(item), w);
      EXPECT_EQ(order.tile_of(item), t);
      EXPECT_EQ(order.first_key(item), 128 * t);
    }
  EXPECT_EQ(order.needed(4), (interval{128, 200}));  // head 3
}

TEST(decode_order, knows_what_each_head_needs_of_a_tile) {
  const auto mechanism = two_texts({{}, {0, 300}, {150, 160}, {100, 200}, {299, 300}, {0, 128}});
  decode_order<mechanism_of_a_call> order(mechanism, tile_keys, false);
  order.begin(0, 6);
  const auto needed = [&](index_t head, index_t tile) { return order.needed(3 * head + tile); };
  for (index_t t = 0; t < 3; ++t) EXPECT_TRUE(needed(0, t).empty());
  EXPECT_EQ(needed(1, 2), (interval{256, 300}));
  EXPECT_TRUE(needed(2, 0).empty() && needed(2, 2).empty());
  EXPECT_EQ(needed(2, 1), (interval{150, 160}));
  EXPECT_EQ(needed(3, 0), (interval{100, 128}));
  EXPECT_EQ(needed(3, 1), (interval{128, 200}));
  EXPECT_EQ(needed(4, 2), (interval{299, 300}));
  EXPECT_TRUE(needed(5, 1).empty());
}

// Of a mechanism: whole panels, as far as any row of the head sees.
TEST(decode_order, asks_what_the_rows_see) {
  const shapes lengths{.batch = 1,
                       .heads = 2,
                       .key_heads = 1,
                       .queries = 3,
                       .keys = 1000,
                       .channels = 8,
                       .value_channels = 8,
                       .first_query = 997,
                       .first_key = 0,
                       .all_keys = 1000};
  const auto bound = bind_definition(dot_product{} | sinks_and_window{.sinks = 4, .window = 100}, lengths);
  decode_order<std::remove_cvref_t<decltype(bound)>> order(bound, 256, false);
  order.begin(0, 1);
  ASSERT_EQ(order.items(), 4);
  EXPECT_EQ(order.needed(0), (interval{0, 64}));
  EXPECT_TRUE(order.needed(1).empty() && order.needed(2).empty());
  EXPECT_EQ(order.needed(3), (interval{896, 1000}));  // from the panel of key 898 on
}

std::vector<std::intptr_t> lines_of(read_ahead ahead) {
  std::vector<std::intptr_t> lines;
  ahead.walk(index_t(1) << 40, [&](std::intptr_t at) { lines.push_back(at); });
  return lines;
}

std::vector<std::intptr_t> lines_of(const float* from, const float* to) {
  std::vector<std::intptr_t> lines;
  for (std::intptr_t at = reinterpret_cast<std::intptr_t>(from) & -64; at < reinterpret_cast<std::intptr_t>(to); at += 64)
    lines.push_back(at);
  return lines;
}
std::vector<std::intptr_t> operator+(std::vector<std::intptr_t> a, const std::vector<std::intptr_t>& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

// Rows of a batch of 2, 3 heads, 300 tokens of 16 channels: a cache line each.
struct keys_and_values {
  std::vector<float> keys = std::vector<float>(2 * 3 * 300 * 16 + 16), values = keys;
  view<const float> key = of(keys), value = of(values);

  static view<const float> of(const std::vector<float>& memory) {
    const auto unaligned = reinterpret_cast<std::uintptr_t>(memory.data()) % 64 / sizeof(float);
    return {memory.data() + (16 - unaligned) % 16, {2, 3, 300, 16}, {3 * 300 * 16, 300 * 16, 16, 1}};
  }
  // Head n, counted through the batch.
  static std::vector<std::intptr_t> lines(const view<const float>& tensor, index_t n, interval tokens) {
    const auto head = tensor.head(n / 3, n % 3);
    return lines_of(head.row(tokens.first), head.row(tokens.last));
  }
};

TEST(decode_order, what_is_ahead_is_what_an_item_reads_and_then_the_next) {
  const auto mechanism = two_texts({{0, 300}, {0, 300}, {}, {140, 260}, {0, 300}, {0, 300}});
  const keys_and_values memory;
  decode_order<mechanism_of_a_call> order(mechanism, tile_keys, false);
  order.begin(1, 3);
  const auto lines = [](const view<const float>& of, index_t head, interval tokens) {
    return keys_and_values::lines(of, head, tokens);
  };
  // Head 1, its first tile, and then the second.
  EXPECT_EQ(lines_of(order.ahead(0, 1, memory.key, memory.value)),
            lines(memory.key, 1, {0, 128}) + lines(memory.value, 1, {0, 128}) + lines(memory.key, 1, {128, 256}));
  // Values first, where they are read first.
  EXPECT_EQ(lines_of(order.ahead(0, 2, memory.value, memory.key)),
            lines(memory.value, 1, {0, 128}) + lines(memory.key, 1, {0, 128}) + lines(memory.value, 1, {256, 300}));
  // The next is another head that needs a part, one that needs nothing, or no item at all.
  EXPECT_EQ(lines_of(order.ahead(2, 7, memory.key, memory.value)),
            lines(memory.key, 1, {256, 300}) + lines(memory.value, 1, {256, 300}) + lines(memory.key, 3, {140, 256}));
  EXPECT_EQ(lines_of(order.ahead(2, 3, memory.key, memory.value)),
            lines(memory.key, 1, {256, 300}) + lines(memory.value, 1, {256, 300}));
  EXPECT_EQ(lines_of(order.ahead(8, 9, memory.key, memory.value)),
            lines(memory.key, 3, {256, 260}) + lines(memory.value, 3, {256, 260}));
}

// One key has no next row: a stride that nobody may rely on is not added to its address. Channels that lie apart are not prefetched.
TEST(decode_order, asks_for_single_keys_and_for_none_whose_channels_lie_apart) {
  const auto mechanism = two_texts({{7, 8}, {0, 300}, {}, {}, {}, {}});
  keys_and_values memory;
  decode_order<mechanism_of_a_call> order(mechanism, tile_keys, false);
  order.begin(0, 2);
  EXPECT_EQ(lines_of(order.ahead(0, 100, memory.key, memory.value)),
            keys_and_values::lines(memory.key, 0, {7, 8}) + keys_and_values::lines(memory.value, 0, {7, 8}));
  memory.key.stride = {3 * 300 * 16, 300 * 16, 1, 300};
  EXPECT_EQ(lines_of(order.ahead(3, 100, memory.key, memory.value)), keys_and_values::lines(memory.value, 1, {0, 128}));
}

}  // namespace

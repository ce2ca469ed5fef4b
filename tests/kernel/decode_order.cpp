#include <longspan/kernel/decode_order.hpp>

#include <gtest/gtest.h>

#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include <longspan/longspan.hpp>

namespace {

using namespace longspan;
using namespace longspan::detail;

// What decode_order asks of a text: its lengths, what each key head needs, and its tensors.
struct needs {
  std::vector<interval> of_head;
  interval needed(index_t g, interval some) const { return intersect(of_head[std::size_t(g)], some); }
};
struct two_tensors {
  view<const float> key, value;
};
struct text_of_a_call {
  struct {
    shapes lengths;
    const needs* seen;
  } mechanism;
  two_tensors tensors;
};

constexpr index_t tile_keys = 128;

// Two texts of 3 key heads each: three tiles a head, the last one of 44 keys, `second` keys of the second text.
struct two_texts {
  std::vector<needs> seen;
  std::vector<text_of_a_call> texts;

  explicit two_texts(std::vector<interval> of_head, index_t second = 300, const two_tensors& a = {}, const two_tensors& b = {})
      : seen{{{of_head.begin(), of_head.begin() + 3}}, {{of_head.begin() + 3, of_head.end()}}} {
    const auto lengths = [](index_t keys) {
      return shapes{.batch = 1, .heads = 6, .key_heads = 3, .queries = 1, .keys = keys, .channels = 8, .value_channels = 5};
    };
    texts = {{{lengths(300), &seen[0]}, a}, {{lengths(second), &seen[1]}, b}};
  }

  // The wave of some heads, counted through both texts.
  wave<text_of_a_call> heads(index_t first, index_t count) const {
    wave<text_of_a_call> some{std::span<const text_of_a_call>(texts)};
    const auto one = [](const auto&) { return 1; };
    if (first > 0) some.next(first, one);
    some.next(count, one);
    return some;
  }
};
using order = decode_order<text_of_a_call>;

TEST(decode_order, numbers_tiles_head_by_head_first_keys_first) {
  const two_texts both(std::vector<interval>(6, interval{0, 300}));
  const auto heads = both.heads(2, 3);  // the last head of the first text, two of the second
  order some(tile_keys, false);
  some.begin(heads);
  ASSERT_EQ(some.items(), 9);
  index_t item = 0;
  for (index_t w = 0; w < 3; ++w)
    for (index_t t = 0; t < 3; ++t, ++item) {
      EXPECT_EQ(some.head_of(item), w);
      EXPECT_EQ(some.tile_of(item), t);
      EXPECT_EQ(some.first_key(item), 128 * t);
      EXPECT_EQ(some.needed(item), (interval{128 * t, std::min<index_t>(128 * t + 128, 300)}));
    }
  const auto last = both.heads(5, 1);
  some.begin(last);
  EXPECT_EQ(some.items(), 3);
}

// Text by text, and in each all heads of a tile before the next.
TEST(decode_order, numbers_all_heads_of_a_tile_before_the_next_where_they_lie_side_by_side) {
  const two_texts both({{0, 300}, {0, 300}, {0, 300}, {0, 200}, {0, 300}, {0, 300}});
  const auto heads = both.heads(1, 5);
  order some(tile_keys, true);
  some.begin(heads);
  ASSERT_EQ(some.items(), 15);
  index_t item = 0;
  for (const interval of_text : {interval{0, 2}, interval{2, 5}})
    for (index_t t = 0; t < 3; ++t)
      for (index_t w = of_text.first; w < of_text.last; ++w, ++item) {
        EXPECT_EQ(some.head_of(item), w);
        EXPECT_EQ(some.tile_of(item), t);
        EXPECT_EQ(some.first_key(item), 128 * t);
      }
  EXPECT_EQ(some.needed(9), (interval{128, 200}));  // the first head of the second text
}

TEST(decode_order, gives_each_text_its_own_tiles) {
  const two_texts both({{0, 300}, {0, 300}, {0, 300}, {0, 100}, {0, 100}, {0, 100}}, 100);
  const auto heads = both.heads(0, 6);
  for (const bool side_by_side : {false, true}) {
    order some(tile_keys, side_by_side);
    some.begin(heads);
    ASSERT_EQ(some.items(), 12);
    for (index_t item = 9; item < 12; ++item) {
      EXPECT_EQ(some.head_of(item), item - 6);
      EXPECT_EQ(some.needed(item), (interval{0, 100}));
    }
  }
}

TEST(decode_order, knows_what_each_head_needs_of_a_tile) {
  const two_texts both({{}, {0, 300}, {150, 160}, {100, 200}, {299, 300}, {0, 128}});
  const auto heads = both.heads(0, 6);
  order some(tile_keys, false);
  some.begin(heads);
  const auto needed = [&](index_t head, index_t tile) { return some.needed(3 * head + tile); };
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
  auto bound = bind_definition(dot_product{} | sinks_and_window{.sinks = 4, .window = 100}, lengths, texts_of(lengths, {}));
  using bound_alone = bound_text<decltype(bound)::value_type, two_tensors>;
  const std::vector<bound_alone> texts{{bound[0], {}}};
  wave<bound_alone> heads{std::span<const bound_alone>(texts)};
  heads.next(1, [](const auto&) { return 1; });
  decode_order<bound_alone> some(256, false);
  some.begin(heads);
  ASSERT_EQ(some.items(), 4);
  EXPECT_EQ(some.needed(0), (interval{0, 64}));
  EXPECT_TRUE(some.needed(1).empty() && some.needed(2).empty());
  EXPECT_EQ(some.needed(3), (interval{896, 1000}));  // from the panel of key 898 on
}

// Where operands that read one tensor before the other say that a tile lies.
struct lie_in {
  view<const float> two_tensors::*one, two_tensors::*other;

  using head = key_head<text_of_a_call>;
  void append_first(std::span<const head> heads, interval needed, buffer<memory_rows>& to) const {
    for (const head& of : heads) append_rows((of.text->tensors.*one).head(0, of.head), needed, to);
  }
  void append_second(std::span<const head> heads, interval needed, buffer<memory_rows>& to) const {
    for (const head& of : heads) append_rows((of.text->tensors.*other).head(0, of.head), needed, to);
  }
};

std::vector<std::intptr_t> lines_of(const order& some, index_t item, index_t next, const lie_in& operands) {
  std::vector<std::intptr_t> lines;
  buffer<memory_rows> rows;
  some.append_reads(item, next, operands, rows);
  read_ahead ahead(rows, false);
  ahead.walk(index_t(1) << 40, [&](std::intptr_t at, auto) { lines.push_back(at); });
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

// Both texts of them.
two_texts lying_in(const keys_and_values& memory, std::vector<interval> of_head) {
  const auto of = [&](index_t b) { return two_tensors{memory.key.tokens_of(b, {0, 300}), memory.value.tokens_of(b, {0, 300})}; };
  return two_texts(std::move(of_head), 300, of(0), of(1));
}
constexpr auto key = &two_tensors::key, value = &two_tensors::value;

TEST(decode_order, what_is_ahead_is_what_an_item_reads_and_then_the_next) {
  const keys_and_values memory;
  const two_texts both = lying_in(memory, {{0, 300}, {0, 300}, {}, {140, 260}, {0, 300}, {0, 300}});
  const auto heads = both.heads(1, 3);
  order some(tile_keys, false);
  some.begin(heads);
  const auto lines = [](const view<const float>& of, index_t head, interval tokens) {
    return keys_and_values::lines(of, head, tokens);
  };
  // Head 1, its first tile, and then the second.
  EXPECT_EQ(lines_of(some, 0, 1, {key, value}),
            lines(memory.key, 1, {0, 128}) + lines(memory.value, 1, {0, 128}) + lines(memory.key, 1, {128, 256}));
  // Values first, where they are read first.
  EXPECT_EQ(lines_of(some, 0, 2, {value, key}),
            lines(memory.value, 1, {0, 128}) + lines(memory.key, 1, {0, 128}) + lines(memory.value, 1, {256, 300}));
  // The next is another head that needs a part, one that needs nothing, or no item at all.
  EXPECT_EQ(lines_of(some, 2, 7, {key, value}),
            lines(memory.key, 1, {256, 300}) + lines(memory.value, 1, {256, 300}) + lines(memory.key, 3, {140, 256}));
  EXPECT_EQ(lines_of(some, 2, 3, {key, value}), lines(memory.key, 1, {256, 300}) + lines(memory.value, 1, {256, 300}));
  EXPECT_EQ(lines_of(some, 8, 9, {key, value}), lines(memory.key, 3, {256, 260}) + lines(memory.value, 3, {256, 260}));
}

// Two heads at most, of one text: one item for both, which needs what either needs and reads both.
TEST(decode_order, heads_that_pass_a_tile_together_are_one_item) {
  const keys_and_values memory;
  const two_texts both = lying_in(memory, {{0, 300}, {0, 20}, {0, 300}, {140, 260}, {0, 300}, {0, 300}});
  const auto heads = both.heads(0, 4);
  order some(tile_keys, true);
  some.begin(heads, 2, [](const auto& one, const auto& other, interval) { return one.text == other.text; });
  ASSERT_EQ(some.items(), 9);  // 3 tiles of heads 0 and 1, 3 of head 2, and 3 of the other text's first
  for (index_t item = 0; item < 6; ++item) {
    EXPECT_EQ(some.head_of(item), item % 2 * 2);
    EXPECT_EQ(some.heads_of(item).size(), item % 2 == 0 ? 2u : 1u);
    EXPECT_EQ(some.tile_of(item), item / 2);
  }
  EXPECT_EQ(some.needed(0), (interval{0, 128}));
  EXPECT_EQ(some.heads_of(6).size(), 1u);
  const auto lines = [](const view<const float>& of, index_t head, interval tokens) {
    return keys_and_values::lines(of, head, tokens);
  };
  EXPECT_EQ(lines_of(some, 0, 1, {key, value}), lines(memory.key, 0, {0, 128}) + lines(memory.key, 1, {0, 128}) +
                                                    lines(memory.value, 0, {0, 128}) + lines(memory.value, 1, {0, 128}) +
                                                    lines(memory.key, 2, {0, 128}));
}

// One key has no next row: a stride that nobody may rely on is not added to its address. Channels that lie apart are not prefetched.
TEST(decode_order, asks_for_single_keys_and_for_none_whose_channels_lie_apart) {
  keys_and_values memory;
  const std::vector<interval> of_head{{7, 8}, {0, 300}, {}, {}, {}, {}};
  const two_texts both = lying_in(memory, of_head);
  const auto heads = both.heads(0, 2);
  order some(tile_keys, false);
  some.begin(heads);
  EXPECT_EQ(lines_of(some, 0, 100, {key, value}),
            keys_and_values::lines(memory.key, 0, {7, 8}) + keys_and_values::lines(memory.value, 0, {7, 8}));
  memory.key.stride = {3 * 300 * 16, 300 * 16, 1, 300};
  const two_texts apart = lying_in(memory, of_head);
  const auto same_heads = apart.heads(0, 2);
  some.begin(same_heads);
  EXPECT_EQ(lines_of(some, 3, 100, {key, value}), keys_and_values::lines(memory.value, 1, {0, 128}));
}

}  // namespace

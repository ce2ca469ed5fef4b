#include <longspan/tile/kept_blocks.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <new>
#include <set>
#include <vector>

namespace {

using namespace longspan;
using namespace longspan::detail;

std::vector<void*> taken(kept_blocks& blocks, std::size_t count, std::size_t bytes) {
  std::vector<void*> memory;
  while (memory.size() < count) memory.push_back(blocks.take(bytes));
  return memory;
}

TEST(kept_blocks, hands_out_what_it_was_given) {
  kept_blocks blocks;
  void* const memory = blocks.take(1000);
  EXPECT_EQ(blocks.bytes(), 0u);
  blocks.give(memory, 1000);
  EXPECT_EQ(blocks.bytes(), 1024u);
  EXPECT_EQ(blocks.take(1000), memory);
  EXPECT_EQ(blocks.bytes(), 0u);
  blocks.give(memory, 1000);
}

// Decoding asks for a little more at every token: sizes up to the next power of two are one block.
TEST(kept_blocks, serve_every_size_up_to_the_next_power_of_two) {
  kept_blocks blocks;
  void* memory = blocks.take(513);
  for (const std::size_t bytes : {513u, 514u, 1000u, 1023u, 1024u}) {
    blocks.give(memory, bytes);
    memory = blocks.take(bytes);
    EXPECT_EQ(blocks.bytes(), 0u) << bytes;
  }
  blocks.give(memory, 1024);
  for (const std::size_t bytes : {512u, 1025u}) {
    void* const other = blocks.take(bytes);
    EXPECT_NE(other, memory);
    EXPECT_EQ(blocks.bytes(), 1024u) << bytes;
    ::operator delete(other, std::align_val_t(64));
  }
}

TEST(kept_blocks, the_oldest_go_when_the_bytes_are_too_many) {
  kept_blocks blocks;
  const std::size_t fit = kept_bytes / largest_kept_block;
  const auto memory = taken(blocks, fit + 2, largest_kept_block);
  for (std::size_t i = 0; i < memory.size(); ++i) {
    blocks.give(memory[i], largest_kept_block);
    EXPECT_EQ(blocks.bytes(), std::min(i + 1, fit) * largest_kept_block);
  }
  const auto again = taken(blocks, fit, largest_kept_block);
  EXPECT_EQ(blocks.bytes(), 0u);
  EXPECT_EQ(std::set(again.begin(), again.end()), std::set(memory.begin() + 2, memory.end()));
  for (void* each : again) blocks.give(each, largest_kept_block);
}

// As many small ones as must go to make room for a large one, and no more.
TEST(kept_blocks, several_old_ones_make_room_for_a_large_one) {
  kept_blocks blocks;
  const std::size_t quarter = largest_kept_block / 4, fit = kept_bytes / quarter;
  const auto memory = taken(blocks, fit, quarter);
  for (void* each : memory) blocks.give(each, quarter);
  blocks.give(blocks.take(largest_kept_block), largest_kept_block);
  EXPECT_EQ(blocks.bytes(), kept_bytes);
  const auto again = taken(blocks, fit - 4, quarter);
  EXPECT_EQ(blocks.bytes(), largest_kept_block);
  EXPECT_EQ(std::set(again.begin(), again.end()), std::set(memory.begin() + 4, memory.end()));
  for (void* each : again) blocks.give(each, quarter);
}

TEST(kept_blocks, the_oldest_go_when_the_blocks_are_too_many) {
  kept_blocks blocks;
  const auto memory = taken(blocks, kept_blocks::most_blocks + 3, 64);
  for (void* each : memory) blocks.give(each, 64);
  EXPECT_EQ(blocks.bytes(), kept_blocks::most_blocks * 64);
  const auto again = taken(blocks, kept_blocks::most_blocks, 64);
  EXPECT_EQ(std::set(again.begin(), again.end()), std::set(memory.begin() + 3, memory.end()));
  for (void* each : again) blocks.give(each, 64);
}

TEST(kept_blocks, keeps_none_that_is_larger_than_the_largest) {
  kept_blocks blocks;
  blocks.give(blocks.take(largest_kept_block + 1), largest_kept_block + 1);
  EXPECT_EQ(blocks.bytes(), 0u);
  blocks.give(blocks.take(largest_kept_block), largest_kept_block);
  EXPECT_EQ(blocks.bytes(), largest_kept_block);
}

TEST(kept_blocks, every_block_begins_at_a_cache_line) {
  kept_blocks blocks;
  for (const std::size_t bytes : {1u, 3u, 64u, 65u, 4000u, 1u << 20, 5u << 20}) {
    void* const memory = blocks.take(bytes);
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(memory) % 64, 0u) << bytes;
    blocks.give(memory, bytes);
  }
}

}  // namespace

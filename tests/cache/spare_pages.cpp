#include <longspan/cache/spare_pages.hpp>

#include <gtest/gtest.h>

#include <cstdint>
#include <utility>
#include <vector>

namespace {

using namespace longspan;
using namespace longspan::detail;

TEST(page, is_made_with_others_in_one_piece) {
  std::vector<page> made;
  page::make(3, 128, made);
  ASSERT_EQ(made.size(), 3u);
  for (std::size_t p = 0; p < 3; ++p) {
    EXPECT_EQ(made[p].get(), made[0].get() + 128 * p);
    EXPECT_EQ(made[p].held_with(), 3);
    EXPECT_TRUE(made[p].made_with(made[0]));
    EXPECT_FALSE(made[p].shared());
  }
  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(made[0].get()) % 64, 0u);
  const page copy = made[1];
  EXPECT_TRUE(copy == made[1] && copy.shared());
  made[1] = page();
  EXPECT_FALSE(copy.shared());
  made[2] = page();
  EXPECT_EQ(made[0].held_with(), 2);  // copy and the first
  std::vector<page> others;
  page::make(1, 128, others);
  EXPECT_FALSE(others[0].made_with(copy));
}

TEST(page, is_large_where_the_system_maps_large_pages) {
  std::vector<page> made;
  EXPECT_EQ(page::most_at_once(index_t(1) << 20), 4);
  EXPECT_EQ(page::most_at_once(index_t(8) << 20), 1);
  page::make(4, index_t(1) << 20, made);
  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(made[0].get()) % (std::uintptr_t(2) << 20), 0u);
}

TEST(spare_pages, keeps_what_others_were_made_with_and_what_is_reserved) {
  spare_pages spare;
  spare.hold(3, 64);  // of one block
  EXPECT_EQ(spare.count(), 3);
  page a = spare.take(64), b = spare.take(64), c = spare.take(64);
  for (index_t n = 0; n < 64; ++n) EXPECT_EQ(a.get()[n], std::byte(0));
  a.get()[5] = std::byte(7);
  spare.give(std::move(a)), spare.give(std::move(b));
  EXPECT_EQ(spare.count(), 2);  // c holds the block
  a = spare.take(64), b = spare.take(64);
  EXPECT_TRUE(a.get()[5] == std::byte(0) && b.get()[5] == std::byte(0));
  const page shared = c;
  spare.give(std::move(c));
  EXPECT_EQ(spare.count(), 0);
  spare.give(std::move(a)), spare.give(std::move(b));
  EXPECT_EQ(spare.count(), 2);

  spare_pages reserved;
  reserved.reserve(2, 64);
  page first = reserved.take(64), second = reserved.take(64);
  reserved.hold(1, 64);  // beyond what is reserved: of a block of its own
  reserved.give(std::move(first)), reserved.give(std::move(second));
  EXPECT_GE(reserved.count(), 2);
  page alone;
  while (reserved.count() > 0) alone = reserved.take(64);
  spare_pages none;
  none.hold(1, 64);
  none.give(none.take(64));
  EXPECT_EQ(none.count(), 0);  // nothing is reserved, and nothing was made with it
}

}  // namespace

#include <longspan/core/shapes.hpp>

#include <gtest/gtest.h>

namespace {

using namespace longspan;

static_assert(sizeof(index_t) == sizeof(void*) && std::is_signed_v<index_t>);

TEST(shapes, query_heads_share_a_key_head) {
  EXPECT_EQ((shapes{.heads = 12, .key_heads = 3}.group()), 4);
  EXPECT_EQ((shapes{.heads = 5, .key_heads = 5}.group()), 1);
}

TEST(shapes, positions_begin_where_the_call_stands) {
  const shapes part{.queries = 4, .keys = 6, .first_query = -2, .first_key = 10};
  EXPECT_EQ(part.query_positions(), (interval{-2, 2}));
  EXPECT_EQ(part.key_positions(), (interval{10, 16}));
}

}  // namespace

#include <longspan/mask/chunks.hpp>

#include <gtest/gtest.h>

#include <limits>

#include "support/masks.hpp"
#include "support/words.hpp"

namespace {

using namespace longspan;
using testing_support::words_of;

static_assert(mask<chunks>);

TEST(chunks, let_a_query_see_its_own_chunk_up_to_itself) {
  for (const index_t size : {1, 2, 5, 12, 100})
    testing_support::expect_sees(chunks{size}, [=](const query_row& row, index_t j) {
      return row.position >= 0 && j / size == row.position / size && j <= row.position;
    });
}

// Chunks begin at the multiples of their size, wherever the queries do.
TEST(chunks, begin_at_multiples_of_their_size) {
  const index_t far = index_t(1) << 40;
  EXPECT_EQ(chunks{8192}({.position = far + 8191}), (interval{far, far + 8192}));
  EXPECT_EQ(chunks{8192}({.position = far + 8192}), (interval{far + 8192, far + 8193}));
}

// The largest index stands for one chunk: the mask is causal.
TEST(chunks, may_be_unbounded) {
  for (const index_t size : {std::numeric_limits<index_t>::max(), std::numeric_limits<index_t>::max() - 1})
    testing_support::expect_sees(chunks{size}, [](const query_row& row, index_t j) { return j <= row.position; });
}

TEST(chunks, name_what_they_refuse) {
  EXPECT_EQ(words_of([] { chunks{1}.check({}); }), "");
  EXPECT_EQ(words_of([] { chunks{0}.check({}); }), "chunks: size must be at least 1, not 0");
  EXPECT_EQ(words_of([] { chunks{-8}.check({}); }), "chunks: size must be at least 1, not -8");
}

}  // namespace

#include <longspan/mechanism/kept_keys.hpp>

#include <gtest/gtest.h>

#include <longspan/longspan.hpp>

#include "support/bound_of.hpp"

namespace {

using namespace longspan;
using namespace longspan::detail;

const shapes part_of_the_keys{.batch = 1,
                              .heads = 4,
                              .key_heads = 2,
                              .queries = 5,
                              .keys = 300,
                              .channels = 8,
                              .value_channels = 8,
                              .first_query = 310,
                              .first_key = 20,
                              .all_keys = 320};

// Row i of head h keeps the places from 100 + 64 h + i on.
template <class Mask>
void expect_kept(const Mask& mask) {
  const auto bound = testing_support::bound_of(dot_product{} | mask, part_of_the_keys);
  const auto masks = bound.seen;
  const kept_keys kept(masks, bound.lengths, [](index_t h, index_t i) { return interval{100 + 64 * h + i, 1000}; });
  for (index_t h = 0; h < 4; ++h)
    for (index_t i = 0; i < 5; ++i) {
      EXPECT_EQ(kept.count(h, i), masks->count(h, i));
      EXPECT_EQ(kept.has_first(h, i), masks->has_first(h, i));
      for (index_t j = 0; j < 300; ++j)
        EXPECT_EQ(contains(kept.keys_of(h, i), j), contains(masks->keys_of(h, i), j) && 20 + j >= 100 + 64 * h + i) << j;
    }
  // The rows of key head 1 have heads 2 and 3.
  EXPECT_TRUE(kept.needed(0, {0, 64}).empty());
  EXPECT_TRUE(kept.needed(1, {0, 192}).empty());
  EXPECT_EQ(kept.needed(1, {0, 300}).first, 208);
  EXPECT_EQ(kept.distances(64).seen, masks->distances(64).seen);
}

TEST(kept_keys, are_what_masks_show_of_an_interval) {
  expect_kept(causal{});
  expect_kept(causal{} | sliding_window{250, 0});
  expect_kept(sinks_and_window{.sinks = 30, .window = 200});
}

}  // namespace

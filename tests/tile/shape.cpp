#include <longspan/tile/shape.hpp>

#include <gtest/gtest.h>

namespace {

using namespace longspan;
using namespace longspan::detail;

template <class T>
constexpr bool fits = tile_shape<T>::query_rows % tile_shape<T>::block::rows == 0 &&  // whole register blocks of rows
                      tile_shape<T>::panel % (tile_shape<T>::block::batches * simd::lanes<batch<T>>) == 0;
static_assert(fits<float> && fits<double>);

// Whole panels, no longer for wider heads, and within half of the second-level cache until they are as short as they get.
TEST(tile_shape, key_rows_shrink_as_heads_grow) {
  const auto of = []<class T>(T) {
    index_t before = tile_shape<T>::key_rows(1);
    for (index_t words = 1; words < 5000; ++words) {
      const index_t keys = tile_shape<T>::key_rows(words);
      EXPECT_EQ(keys % tile_shape<T>::panel, 0);
      EXPECT_LE(keys, before);
      EXPECT_TRUE(keys == 128 || keys * words * index_t(sizeof(T)) <= 512 * 1024) << words;
      before = keys;
    }
  };
  of(1.f), of(1.0);
}

TEST(tile_shape, round_up_is_the_next_multiple) {
  for (index_t multiple = 1; multiple < 9; ++multiple)
    for (index_t number = 0; number < 40; ++number) {
      const index_t rounded = round_up(number, multiple);
      EXPECT_EQ(rounded % multiple, 0);
      EXPECT_TRUE(rounded >= number && rounded < number + multiple) << number << " to a multiple of " << multiple;
    }
}

}  // namespace

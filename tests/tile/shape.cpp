#include <longspan/tile/shape.hpp>

#include <gtest/gtest.h>

#include <cstdint>

#include <longspan/tile/buffer.hpp>

namespace {

using namespace longspan;

template <class T>
constexpr bool fits = tile_shape<T>::query_rows % tile_shape<T>::block_rows == 0 &&  // whole register blocks of rows
                      tile_shape<T>::key_rows % tile_shape<T>::panel == 0 &&         // whole panels of keys
                      tile_shape<T>::panel == tile_shape<T>::block_batches * simd::lanes<batch<T>>;
static_assert(fits<float> && fits<double>);

TEST(tile_shape, round_up_is_the_next_multiple) {
  for (index_t multiple = 1; multiple < 9; ++multiple)
    for (index_t number = 0; number < 40; ++number) {
      const index_t rounded = round_up(number, multiple);
      EXPECT_EQ(rounded % multiple, 0);
      EXPECT_TRUE(rounded >= number && rounded < number + multiple) << number << " to a multiple of " << multiple;
    }
}

TEST(buffer, begins_on_a_cache_line) {
  for (const std::size_t size : {1u, 3u, 17u, 1000u}) {
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(buffer<float>(size).data()) % 64, 0u);
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(buffer<double>(size).data()) % 64, 0u);
  }
}

}  // namespace

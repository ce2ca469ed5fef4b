#include <longspan/tile/transpose.hpp>

#include <gtest/gtest.h>

#include <vector>

#include "support/lanes.hpp"

namespace {

using namespace longspan;
using namespace longspan::detail;
using testing_support::batch_of;
using testing_support::lanes_of;

template <class T>
class transpose_test : public testing::Test {};
using numbers = testing::Types<float, double>;
TYPED_TEST_SUITE(transpose_test, numbers);

TYPED_TEST(transpose_test, rows_become_columns_of_as_many_rows_as_asked_for) {
  using T = TypeParam;
  constexpr index_t width = simd::lanes<batch<T>>;
  for (const index_t from_stride : {width, width + 5})
    for (const index_t to_stride : {width, 3 * width + 1})
      for (index_t columns = 1; columns <= width + 2; ++columns) {
        std::vector<T> from(std::size_t(width * from_stride)), to(std::size_t(width * to_stride), T(-1)), wanted = to;
        for (std::size_t i = 0; i < from.size(); ++i) from[i] = T(i);
        for (index_t c = 0; c < std::min(columns, width); ++c)
          for (index_t r = 0; r < width; ++r) wanted[std::size_t(c * to_stride + r)] = from[std::size_t(r * from_stride + c)];
        transpose(from.data(), from_stride, to.data(), to_stride, columns);
        EXPECT_EQ(to, wanted) << columns << " columns";
      }
}

#if !defined(LONGSPAN_SCALAR) && !defined(XSIMD_NO_SUPPORTED_ARCHITECTURE)
// Written out for one block, for the first lanes of the second and for pairs of blocks.
TYPED_TEST(transpose_test, shuffles_move_lanes_within_blocks_or_blocks) {
  using T = TypeParam;
  using Batch = batch<T>;
  constexpr index_t block = block_lanes<Batch>, width = simd::lanes<Batch>;
  const Batch x = batch_of<Batch>([](index_t l) { return l; }), y = batch_of<Batch>([](index_t l) { return 100 + l; });
  const auto lower = lanes_of(interleave<0>(x, y)), upper = lanes_of(interleave<1>(x, y));
  const auto even = lanes_of(every_other_block<0>(x, y)), odd = lanes_of(every_other_block<1>(x, y));
  for (index_t l = 0; l < width; ++l) {
    const index_t first = l / block * block, within = l % block / 2;
    EXPECT_EQ(lower[std::size_t(l)], T(first + within + l % 2 * 100));
    EXPECT_EQ(upper[std::size_t(l)], T(first + block / 2 + within + l % 2 * 100));
    if (block == width) continue;
    const index_t of = 2 * (l / block), number = of * block + l % block;
    const index_t kept = of * block < width ? number : 100 + number - width;
    EXPECT_EQ(even[std::size_t(l)], T(kept));
    EXPECT_EQ(odd[std::size_t(l)], T(kept + block));
  }
}
#endif

}  // namespace

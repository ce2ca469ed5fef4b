#include <longspan/tile/multiply_broadcast.hpp>

#include <gtest/gtest.h>

#include <random>
#include <vector>

namespace {

using namespace longspan;
using namespace longspan::detail;

template <class T>
class multiply_broadcast_test : public testing::Test {};
using numbers = testing::Types<float, double>;
TYPED_TEST_SUITE(multiply_broadcast_test, numbers);

// For every number of batches of columns that decoding has, element by element; the memory beyond stays as it was.
TYPED_TEST(multiply_broadcast_test, is_the_chain_of_every_element) {
  using T = TypeParam;
  constexpr index_t lanes = simd::lanes<batch<T>>, most = round_up(tile_shape<T>::most_decode_rows, lanes);
  std::mt19937 generator(1);
  std::normal_distribution<double> number;
  for (const index_t columns : {lanes, 2 * lanes, 3 * lanes, 4 * lanes, 5 * lanes, most})
    for (const index_t rows : {lanes, 3 * lanes})
      for (const index_t depth : {lanes, 2 * lanes}) {
        const index_t left_stride = depth + 3, right_stride = columns + 1, out_stride = columns + 2;
        std::vector<T> left(std::size_t(rows * left_stride)), right(std::size_t(depth * right_stride));
        for (auto* operand : {&left, &right})
          for (T& each : *operand) each = T(number(generator));
        std::vector<T> out(std::size_t(rows * out_stride), T(-77)), wanted = out;
        for (index_t r = 0; r < rows; ++r)
          for (index_t j = 0; j < columns; ++j) {
            T sum = 0;
            for (index_t k = 0; k < depth; ++k)
              sum = simd::multiply_add(left[std::size_t(r * left_stride + k)], right[std::size_t(k * right_stride + j)], sum);
            wanted[std::size_t(r * out_stride + j)] = sum;
          }
        read_ahead ahead;
        const product<T> p{left.data(), left_stride, right.data(), right_stride, out.data(), out_stride, depth};
        multiply_broadcast(p, rows, columns, ahead);
        EXPECT_EQ(out, wanted) << rows << " rows, " << columns << " columns, depth " << depth;
      }
}

}  // namespace

#include <longspan/tile/multiply_transposed.hpp>

#include <gtest/gtest.h>

#include <longspan/tensor/eigen.hpp>

#include <random>
#include <vector>

namespace {

using namespace longspan;
using namespace longspan::detail;

template <class T>
class multiply_transposed_test : public testing::Test {};
using numbers = testing::Types<float, double>;
TYPED_TEST_SUITE(multiply_transposed_test, numbers);

// For every number of left rows and squares, element by element; the memory beyond stays as it was.
template <class T, index_t Batches, class Right = T>
void expect_the_chain_of_every_element() {
  constexpr index_t lanes = simd::lanes<batch<T>>, keys = Batches * lanes, most = tile_shape<T>::streamed_rows;
  std::mt19937 generator(1);
  std::normal_distribution<double> number;
  for (index_t rows = 1; rows <= most; ++rows)
    for (index_t depth = lanes; depth <= 3 * lanes; depth += lanes) {
      const index_t left_stride = depth + 1, right_stride = depth + 3, out_stride = keys + 2;
      std::vector<T> left(std::size_t(rows * left_stride));
      std::vector<Right> right(std::size_t(keys * right_stride));
      for (T& each : left) each = T(number(generator));
      for (Right& each : right) each = Right(number(generator));
      std::vector<T> out(std::size_t(rows * out_stride), T(-77)), wanted = out;
      for (index_t r = 0; r < rows; ++r)
        for (index_t j = 0; j < keys; ++j) {
          T sum = 0;
          for (index_t k = 0; k < depth; ++k)
            sum = simd::multiply_add(left[std::size_t(r * left_stride + k)], T(right[std::size_t(j * right_stride + k)]), sum);
          wanted[std::size_t(r * out_stride + j)] = sum;
        }
      const product<T, number_words<T>, Right> p{left.data(), left_stride, right.data(), right_stride,
                                                 out.data(),  out_stride,  depth};
      multiply_transposed<Batches>(p, read_ahead(), rows);
      EXPECT_EQ(out, wanted) << rows << " rows, depth " << depth << ", batches of keys " << Batches;
    }
}

TYPED_TEST(multiply_transposed_test, is_the_chain_of_every_element) {
  expect_the_chain_of_every_element<TypeParam, 1>();
  expect_the_chain_of_every_element<TypeParam, 2>();
}

TEST(multiply_transposed, widens_numbers_of_16_bits) {
  expect_the_chain_of_every_element<float, 1, Eigen::bfloat16>();
  expect_the_chain_of_every_element<float, 1, Eigen::half>();
}

}  // namespace

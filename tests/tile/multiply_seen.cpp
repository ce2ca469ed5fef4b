#include <longspan/tile/multiply_seen.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <random>
#include <span>
#include <vector>

namespace {

using namespace longspan;
using namespace longspan::detail;

template <class T>
struct drawn_operands {
  index_t rows, depth, columns;
  index_t left_stride = depth + 3, right_stride = columns + 5, out_stride = columns + 2;
  std::vector<T> left = drawn(rows * left_stride), right = drawn(depth * right_stride), out = drawn(rows * out_stride);

  static std::vector<T> drawn(index_t size) {
    static std::mt19937 generator(1);
    std::normal_distribution<double> number;
    std::vector<T> all(static_cast<std::size_t>(size));
    for (T& each : all) each = T(number(generator));
    return all;
  }
  product<T> operator()(std::vector<T>& to) const {
    return {left.data(), left_stride, right.data(), right_stride, to.data(), out_stride, depth};
  }
};

std::vector<std::uint64_t> drawn_bits(index_t rows, std::mt19937_64& generator) {
  std::vector<std::uint64_t> bits;
  for (index_t r = 0; r < rows; ++r) bits.push_back(r == 2 ? 0 : r == 3 ? ~std::uint64_t(0) : generator());
  return bits;
}

template <class T>
class multiply_seen_test : public testing::Test {};
using numbers = testing::Types<float, double>;
TYPED_TEST_SUITE(multiply_seen_test, numbers);

// Element by element the chain of multiply-adds over what the row sees; the memory between rows stays as it was.
TYPED_TEST(multiply_seen_test, is_the_chain_of_what_each_row_sees) {
  using T = TypeParam;
  constexpr index_t lanes = simd::lanes<batch<T>>;
  std::mt19937_64 generator(1);
  for (index_t rows = 1; rows <= 2 * tile_shape<T>::block::rows + 1; ++rows)
    for (const index_t depth : {index_t(1), index_t(5), index_t(63), index_t(64)})
      for (const index_t batches : {1, 2, 3, 7}) {
        const drawn_operands<T> of{rows, depth, batches * lanes};
        const auto seen = drawn_bits(rows, generator);
        std::vector<T> wanted = of.out, out = of.out;
        for (index_t r = 0; r < rows; ++r)
          for (index_t k = 0; k < depth; ++k)
            for (index_t c = 0; c < of.columns && (seen[std::size_t(r)] >> k & 1) != 0; ++c) {
              T& sum = wanted[std::size_t(r * of.out_stride + c)];
              sum = simd::multiply_add(of.left[std::size_t(r * of.left_stride + k)],
                                       of.right[std::size_t(k * of.right_stride + c)], sum);
            }
        multiply_seen(of(out), seen, of.columns);
        EXPECT_EQ(out, wanted) << rows << " rows, depth " << depth << ", " << of.columns << " columns";
      }
}

// What all rows see whole is the product of multiply, to the bit.
TYPED_TEST(multiply_seen_test, has_the_bits_of_multiply) {
  using T = TypeParam;
  const drawn_operands<T> of{tile_shape<T>::block::rows, 40, 4 * simd::lanes<batch<T>>};
  std::vector<T> seen = of.out, all = of.out;
  multiply_seen(of(seen), std::vector<std::uint64_t>(std::size_t(of.rows), ~std::uint64_t(0)), of.columns);
  detail::multiply<start::output>(of(all), of.rows, of.columns);
  EXPECT_EQ(seen, all);
}

TYPED_TEST(multiply_seen_test, never_touches_what_is_hidden) {
  using T = TypeParam;
  drawn_operands<T> of{4, 8, 2 * simd::lanes<batch<T>>};
  for (index_t c = 0; c < of.columns; ++c) of.right[std::size_t(3 * of.right_stride + c)] = std::numeric_limits<T>::quiet_NaN();
  std::vector<T> out = of.out;
  multiply_seen(of(out), std::vector<std::uint64_t>{0xf7, 0x07, 0xff, 0xf0}, of.columns);
  for (index_t r = 0; r < of.rows; ++r) EXPECT_EQ(std::isnan(out[std::size_t(r * of.out_stride)]), r == 2) << "row " << r;
}

#if defined(__AVX512BW__) && defined(__AVX512BF16__) && !defined(LONGSPAN_SCALAR)
// Of a pair the hidden number, NaN here, is left out and the other one counts.
TEST(multiply_seen, takes_pairs_apart) {
  using Words = bfloat16_words;
  constexpr index_t lanes = simd::lanes<batch<float>>;
  const auto word = [](float even, float odd) { return Words::together(batch<float>(even), batch<float>(odd)).get(0); };
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const std::vector<float> left{word(2, 3), word(4, 5)};
  std::vector<float> right(2 * lanes, word(1, nan));
  std::fill(right.begin() + lanes, right.end(), word(10, 100));
  std::vector<float> out(3 * lanes, 0.5f);
  const std::vector<float> three_rows{left[0], left[1], left[0], left[1], left[0], left[1]};
  multiply_seen(product<float, Words>{three_rows.data(), 2, right.data(), lanes, out.data(), lanes, 2},
                std::vector<std::uint64_t>{0b1101, 0b0101, 0b1000}, lanes);
  EXPECT_EQ(out[0], 0.5f + 2 + 40 + 500);
  EXPECT_EQ(out[lanes], 0.5f + 2 + 40);
  EXPECT_EQ(out[2 * lanes], 0.5f + 500);
}
#endif

}  // namespace

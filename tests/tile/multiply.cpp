#include <longspan/tile/multiply.hpp>

#include <gtest/gtest.h>

#include <random>
#include <vector>

#include <longspan/core/interval.hpp>

namespace {

using namespace longspan;
using namespace longspan::detail;

// A left and a right operand in memory wider than they are, and what is made of them.
template <class T>
struct operands {
  using shape = tile_shape<T>;
  static constexpr index_t rows = shape::block::rows, lanes = shape::lanes, columns = 2 * shape::panel + lanes, depth = 20;
  static constexpr index_t left_stride = depth + 3, right_stride = columns + 3, out_stride = columns + 5;

  std::vector<T> left = random(rows * left_stride), right = random(depth * right_stride);

  static std::vector<T> random(index_t count) {
    static std::mt19937 generator(1);
    std::normal_distribution<double> number;
    std::vector<T> made;
    for (index_t i = 0; i < count; ++i) made.push_back(T(number(generator)));
    return made;
  }

  // Adds to `out`, or overwrites it: rows and columns of the product over the depth from k to k_last.
  void multiply(start from, interval row, interval column, interval k, std::vector<T>& out) const {
    const product<T> part{left.data() + row.first * left_stride + k.first,
                          left_stride,
                          right.data() + k.first * right_stride + column.first,
                          right_stride,
                          out.data() + row.first * out_stride + column.first,
                          out_stride,
                          k.size()};
    if (from == start::zero)
      detail::multiply<start::zero>(part, row.size(), column.size());
    else
      detail::multiply<start::output>(part, row.size(), column.size());
  }

  // The definition: one chain of multiply-adds for each element.
  void chain(start from, interval row, interval column, interval k, std::vector<T>& out) const {
    for (index_t r = row.first; r < row.last; ++r)
      for (index_t c = column.first; c < column.last; ++c) {
        T& sum = out[std::size_t(r * out_stride + c)];
        if (from == start::zero) sum = 0;
        for (index_t d = k.first; d < k.last; ++d)
          sum = simd::multiply_add(left[std::size_t(r * left_stride + d)], right[std::size_t(d * right_stride + c)], sum);
      }
  }

  std::vector<T> memory() const { return std::vector<T>(std::size_t(rows * out_stride), T(-77)); }

  std::vector<T> whole() const {
    auto out = memory();
    multiply(start::zero, {0, rows}, {0, columns}, {0, depth}, out);
    return out;
  }

  void expect_chains(start from) const {
    for (index_t r = 1; r <= rows; ++r)
      for (index_t c = 0; c <= columns; c += lanes)
        for (index_t k = 0; k <= depth; ++k) {
          auto out = memory(), wanted = memory();
          multiply(from, {0, r}, {0, c}, {0, k}, out);
          chain(from, {0, r}, {0, c}, {0, k}, wanted);
          EXPECT_EQ(out, wanted) << r << " rows, " << c << " columns, depth " << k;
        }
  }
};

template <class T>
class multiply : public testing::Test {};
using numbers = testing::Types<float, double>;
TYPED_TEST_SUITE(multiply, numbers);

// Element by element, with the memory between and beyond the rows left as it was.
TYPED_TEST(multiply, from_zero_is_a_chain_for_every_element) { operands<TypeParam>().expect_chains(start::zero); }
TYPED_TEST(multiply, from_output_goes_on_with_the_chain) { operands<TypeParam>().expect_chains(start::output); }

TYPED_TEST(multiply, bits_do_not_depend_on_the_block_around_an_element) {
  const operands<TypeParam> of;
  const auto whole = of.whole();
  for (index_t first = 0; first < of.rows; ++first)
    for (index_t last = first + 1; last <= of.rows; ++last) {
      auto out = of.memory();
      for (const interval rows : {interval{0, first}, {first, last}, {last, of.rows}})
        of.multiply(start::zero, rows, {0, of.columns}, {0, of.depth}, out);
      EXPECT_EQ(out, whole) << "rows " << first << " to " << last;
    }
  for (index_t first = 0; first < of.columns; first += of.lanes) {
    auto out = of.memory();
    for (const interval columns : {interval{0, first}, {first, first + of.lanes}, {first + of.lanes, of.columns}})
      of.multiply(start::zero, {0, of.rows}, columns, {0, of.depth}, out);
    EXPECT_EQ(out, whole) << "column " << first;
  }
}

// The kernel splits the keys along a mask's edge: a chain taken in two steps is the same chain.
TYPED_TEST(multiply, a_depth_cut_anywhere_has_the_same_bits) {
  const operands<TypeParam> of;
  for (index_t cut = 0; cut <= of.depth; ++cut) {
    auto out = of.memory();
    of.multiply(start::zero, {0, of.rows}, {0, of.columns}, {0, cut}, out);
    of.multiply(start::output, {0, of.rows}, {0, of.columns}, {cut, of.depth}, out);
    EXPECT_EQ(out, of.whole()) << "cut at " << cut;
  }
}

// What comes from memory is multiplied a few rows of it at a time, for any number of left rows in turn: the same chains.
TYPED_TEST(multiply, streamed_has_the_same_bits) {
  using T = TypeParam;
  const index_t most = 2 * operands<T>::rows + 1, columns = operands<T>::columns, depths = 40;
  const index_t left_stride = depths + 3, right_stride = columns + 3, out_stride = columns + 5;
  const auto left = operands<T>::random(most * left_stride), right = operands<T>::random(depths * right_stride);
  for (index_t depth = 1; depth <= depths; ++depth)
    for (const index_t some : {operands<T>::lanes, columns})
      for (index_t rows = 1; rows <= most; ++rows) {
        std::vector<T> out(std::size_t(most * out_stride), T(-77)), wanted = out;
        const auto part = [&](auto& to) {
          return product<T>{left.data(), left_stride, right.data(), right_stride, to.data(), out_stride, depth};
        };
        read_ahead nothing;
        multiply_streamed(part(out), rows, some, nothing);
        detail::multiply<start::output>(part(wanted), rows, some);
        EXPECT_EQ(out, wanted) << rows << " rows, depth " << depth;
      }
}

// However the left operand lies, over more depth than is spread at once: the same chains.
TYPED_TEST(multiply, left_may_lie_in_columns) {
  using T = TypeParam;
  const index_t rows = 13, columns = 3 * tile_shape<T>::lanes, depth = 150;
  const auto by_rows = operands<T>::random(rows * depth), right = operands<T>::random(depth * columns);
  std::vector<T> by_columns(by_rows.size()), one(std::size_t(rows * columns), T(2)), other = one;
  for (index_t r = 0; r < rows; ++r)
    for (index_t k = 0; k < depth; ++k) by_columns[std::size_t(k * rows + r)] = by_rows[std::size_t(r * depth + k)];
  detail::multiply<start::output>(product<T>{by_rows.data(), depth, right.data(), columns, one.data(), columns, depth}, rows,
                                  columns);
  detail::multiply<start::output, left::columns>(
      product<T>{by_columns.data(), rows, right.data(), columns, other.data(), columns, depth}, rows, columns);
  EXPECT_EQ(one, other);
  std::vector<T> chained(one.size(), T(2));
  for (index_t r = 0; r < rows; ++r)
    for (index_t c = 0; c < columns; ++c)
      for (index_t k = 0; k < depth; ++k)
        chained[std::size_t(r * columns + c)] = simd::multiply_add(
            by_rows[std::size_t(r * depth + k)], right[std::size_t(k * columns + c)], chained[std::size_t(r * columns + c)]);
  EXPECT_EQ(one, chained);
}

}  // namespace

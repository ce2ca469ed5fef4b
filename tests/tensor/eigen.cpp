#include <longspan/tensor/eigen.hpp>

#include <gtest/gtest.h>

#include <array>
#include <utility>
#include <vector>

namespace {

using namespace longspan;
using namespace longspan::detail;

// What element (b, h, i, c) holds: four digits that name it.
double name_of(index_t b, index_t h, index_t i, index_t c) { return double(1000 * b + 100 * h + 10 * i + c); }

using extents = std::array<index_t, 4>;

template <class S>
void expect_view(const view<S>& got, const extents& wanted) {
  EXPECT_EQ(got.extent, wanted);
  for (index_t b = 0; b < wanted[0]; ++b)
    for (index_t h = 0; h < wanted[1]; ++h)
      for (index_t i = 0; i < wanted[2]; ++i)
        for (index_t c = 0; c < wanted[3]; ++c)
          EXPECT_EQ(double(got.head(b, h).row(i)[c * got.stride[3]]), name_of(b, h, i, c))
              << b << ' ' << h << ' ' << i << ' ' << c;
}

// Writes the names into dense memory, axes slowest first: row-major (b, h, i, c) and column-major (c, i, h, b) are the same bytes.
template <class X>
X named(X tensor, const extents& of) {
  auto* to = tensor.data();
  for (index_t b = 0; b < of[0]; ++b)
    for (index_t h = 0; h < of[1]; ++h)
      for (index_t i = 0; i < of[2]; ++i)
        for (index_t c = 0; c < of[3]; ++c) *to++ = typename X::Scalar(float(name_of(b, h, i, c)));
  return tensor;
}

template <class S, int Rank, int Layout = Eigen::RowMajor, class Index = Eigen::Index>
using tensor = Eigen::Tensor<S, Rank, Layout, Index>;

TEST(eigen, row_major_tensors_end_with_channels) {
  const auto four = named(tensor<double, 4>(2, 3, 4, 5), {2, 3, 4, 5});
  EXPECT_EQ(four(1, 2, 3, 4), 1234);
  expect_view(view_of(four), {2, 3, 4, 5});
  expect_view(view_of(named(tensor<double, 3>(3, 4, 5), {1, 3, 4, 5})), {1, 3, 4, 5});
  expect_view(view_of(named(tensor<double, 2>(4, 5), {1, 1, 4, 5})), {1, 1, 4, 5});
}

TEST(eigen, column_major_tensors_begin_with_channels) {
  const auto four = named(tensor<double, 4, Eigen::ColMajor>(5, 4, 3, 2), {2, 3, 4, 5});
  EXPECT_EQ(four(4, 3, 2, 1), 1234);
  expect_view(view_of(four), {2, 3, 4, 5});
  expect_view(view_of(named(tensor<double, 3, Eigen::ColMajor>(5, 4, 3), {1, 3, 4, 5})), {1, 3, 4, 5});
  expect_view(view_of(named(tensor<double, 2, Eigen::ColMajor>(5, 4), {1, 1, 4, 5})), {1, 1, 4, 5});
}

TEST(eigen, tensors_of_any_storage_and_index_are_read) {
  const extents of{2, 3, 4, 5};
  expect_view(view_of(named(tensor<float, 4>(2, 3, 4, 5), of)), of);
  expect_view(view_of(named(tensor<Eigen::half, 4>(2, 3, 4, 5), of)), of);
  expect_view(view_of(named(tensor<double, 4, Eigen::RowMajor, int>(2, 3, 4, 5), of)), of);
  expect_view(view_of(named(Eigen::TensorFixedSize<float, Eigen::Sizes<2, 3, 4, 5>, Eigen::RowMajor>(), of)), of);
  expect_view(view_of(named(Eigen::TensorFixedSize<float, Eigen::Sizes<5, 4, 3>>(), {1, 3, 4, 5})), {1, 3, 4, 5});
}

TEST(eigen, maps_of_tensors_are_as_good_as_tensors) {
  auto memory = named(tensor<double, 4>(2, 3, 4, 5), {2, 3, 4, 5});
  Eigen::TensorMap<tensor<double, 4>> writable(memory.data(), memory.dimensions());
  const Eigen::TensorMap<const tensor<double, 4>> readable(memory.data(), memory.dimensions());
  const Eigen::TensorMap<const tensor<double, 3, Eigen::ColMajor>> reversed(memory.data(), 5, 4, 3);
  expect_view(view_of(writable), {2, 3, 4, 5});
  expect_view(view_of(readable), {2, 3, 4, 5});
  expect_view(view_of(reversed), {1, 3, 4, 5});
  static_assert(std::is_same_v<decltype(view_of(writable)), view<double>> &&
                std::is_same_v<decltype(view_of(memory)), view<double>>);
  static_assert(std::is_same_v<decltype(view_of(readable)), view<const double>>);
  static_assert(std::is_same_v<decltype(view_of(std::as_const(memory))), view<const double>>);
  static_assert(std::is_same_v<element_of<decltype(readable)>, double>);
}

// A token is a row of a row-major matrix and a column of a column-major one.
template <int Order>
Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Order> matrix() {
  Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Order> made(Order == Eigen::RowMajor ? 4 : 5,
                                                                    Order == Eigen::RowMajor ? 5 : 4);
  for (index_t i = 0; i < 4; ++i)
    for (index_t c = 0; c < 5; ++c) (Order == Eigen::RowMajor ? made(i, c) : made(c, i)) = name_of(0, 0, i, c);
  return made;
}

TEST(eigen, matrices_are_one_head) {
  const auto rows = matrix<Eigen::RowMajor>();
  const auto columns = matrix<Eigen::ColMajor>();
  expect_view(view_of(rows), {1, 1, 4, 5});
  expect_view(view_of(columns), {1, 1, 4, 5});
  const Eigen::Matrix<double, 5, 4> fixed = columns;
  expect_view(view_of(fixed), {1, 1, 4, 5});
  const Eigen::ArrayXXd array = columns.array();
  expect_view(view_of(array), {1, 1, 4, 5});
  expect_view(view_of(Eigen::MatrixXd(5, 0)), {1, 1, 0, 5});
}

TEST(eigen, blocks_references_and_maps_with_strides_are_read_where_they_lie) {
  Eigen::MatrixXd wide = Eigen::MatrixXd::Constant(9, 11, -1);
  wide.block(2, 3, 5, 4) = matrix<Eigen::ColMajor>();
  expect_view(view_of(wide.block(2, 3, 5, 4)), {1, 1, 4, 5});
  expect_view(view_of(wide.block(1, 1, 7, 9).block(1, 2, 5, 4)), {1, 1, 4, 5});
  const Eigen::Ref<const Eigen::MatrixXd> readable = wide.block(2, 3, 5, 4);
  Eigen::Ref<Eigen::MatrixXd> writable = wide.block(2, 3, 5, 4);
  expect_view(view_of(readable), {1, 1, 4, 5});
  expect_view(view_of(writable), {1, 1, 4, 5});
  const Eigen::Map<const Eigen::MatrixXd, 0, Eigen::OuterStride<>> outer(wide.data() + 3 * 9 + 2, 5, 4, Eigen::OuterStride<>(9));
  expect_view(view_of(outer), {1, 1, 4, 5});
  // Every second channel, tokens 20 numbers apart, in row-major words.
  std::vector<double> sparse(100, -1);
  Eigen::Map<Eigen::Matrix<double, 4, 5, Eigen::RowMajor>, 0, Eigen::Stride<20, 2>> both(sparse.data());
  both = matrix<Eigen::RowMajor>();
  expect_view(view_of(both), {1, 1, 4, 5});
  EXPECT_EQ(view_of(both).stride[2], 20);
  EXPECT_EQ(view_of(both).stride[3], 2);
  static_assert(std::is_same_v<decltype(view_of(readable)), view<const double>> &&
                std::is_same_v<decltype(view_of(writable)), view<double>>);
}

TEST(eigen, a_vector_is_one_token_whichever_way_it_lies) {
  const Eigen::VectorXd down = matrix<Eigen::ColMajor>().col(0);
  const Eigen::RowVectorXd across = matrix<Eigen::RowMajor>().row(0);
  expect_view(view_of(down), {1, 1, 1, 5});
  expect_view(view_of(across), {1, 1, 1, 5});
  // Across a column-major matrix the channels of a token stand apart by its stride.
  const auto columns = matrix<Eigen::ColMajor>();
  Eigen::MatrixXd crossed(4, 5);
  for (index_t c = 0; c < 5; ++c) crossed(0, c) = columns(c, 0);
  expect_view(view_of(crossed.row(0)), {1, 1, 1, 5});
  EXPECT_EQ(view_of(crossed.row(0)).stride[3], 4);
  expect_view(view_of(columns.col(0)), {1, 1, 1, 5});
}

TEST(eigen, log_sum_exp_has_a_number_for_each_row) {
  Eigen::Tensor<float, 3, Eigen::RowMajor> three(2, 3, 4);
  Eigen::Tensor<float, 2> two(4, 3);
  Eigen::Tensor<float, 1> one(4);
  Eigen::VectorXf vector(4);
  Eigen::MatrixXf matrix(7, 4);
  const auto of = [](auto&& tensor) { return traits_of<decltype(tensor)>::log_sum_exp_of(tensor); };
  EXPECT_EQ(of(three).extent, (extents{2, 3, 4, 1}));
  EXPECT_EQ(of(three).head(1, 2).row(3), &three(1, 2, 3));
  EXPECT_EQ(of(two).extent, (extents{1, 3, 4, 1}));
  EXPECT_EQ(of(two).head(0, 2).row(1), &two(1, 2));
  EXPECT_EQ(of(one).extent, (extents{1, 1, 4, 1}));
  EXPECT_EQ(of(vector).extent, (extents{1, 1, 4, 1}));
  EXPECT_EQ(of(vector).head(0, 0).row(3), &vector(3));
  EXPECT_EQ(of(matrix.row(2)).extent, (extents{1, 1, 4, 1}));
  EXPECT_EQ(of(matrix.row(2)).head(0, 0).row(3), &matrix(2, 3));
}

TEST(eigen, a_view_is_read_as_it_says) {
  double number = 0;
  const view<double> given{&number, {1, 1, 1, 1}, {4, 3, 2, 1}};
  EXPECT_EQ(view_of(given).stride, given.stride);
  EXPECT_EQ(view_of(view<double>(given)).data, &number);
}

}  // namespace

#include <longspan/tensor/attended.hpp>

#include <gtest/gtest.h>

#include <longspan/longspan.hpp>

#include "support/tensors.hpp"

namespace {

using namespace longspan;
using namespace longspan::detail;
using namespace testing_support;

const shapes lengths{.batch = 2, .heads = 3, .key_heads = 1, .queries = 4, .keys = 9, .channels = 8, .value_channels = 5};

template <class X, class S = element_of<X>>
using made = decltype(make_attended<X, S>(lengths));

template <class X, class Output, class LogSumExp>
constexpr bool answers = std::is_same_v<made<X>, attended<Output, LogSumExp>>;

template <class S, int Rank, int Layout = Eigen::RowMajor>
using any = Eigen::Tensor<S, Rank, Layout>;
using row_matrix = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

// Rank and order are those of the queries, and what is returned owns its memory.
static_assert(answers<any<float, 4>, any<float, 4>, any<float, 3>>);
static_assert(answers<any<double, 3, Eigen::ColMajor>, any<double, 3, Eigen::ColMajor>, any<double, 2, Eigen::ColMajor>>);
static_assert(answers<const any<float, 2>, any<float, 2>, any<float, 1>>);
static_assert(answers<Eigen::TensorMap<const any<float, 4>>, any<float, 4>, any<float, 3>>);
static_assert(answers<Eigen::TensorFixedSize<float, Eigen::Sizes<5, 4, 3>>, any<float, 3, Eigen::ColMajor>,
                      any<float, 2, Eigen::ColMajor>>);
static_assert(answers<Eigen::MatrixXf, Eigen::MatrixXf, Eigen::VectorXf> && answers<row_matrix, row_matrix, Eigen::VectorXf>);
static_assert(answers<Eigen::Map<const Eigen::MatrixXd, 0, Eigen::OuterStride<>>, Eigen::MatrixXd, Eigen::VectorXd>);
static_assert(answers<Eigen::Ref<const row_matrix>, row_matrix, Eigen::VectorXf> &&
              answers<Eigen::RowVectorXf, row_matrix, Eigen::VectorXf>);
static_assert(answers<view<const float>, any<float, 4>, any<float, 3>>);
// Narrow storage keeps its log-sum-exp in float.
static_assert(answers<any<Eigen::half, 4>, any<Eigen::half, 4>, any<float, 3>>);
static_assert(answers<any<Eigen::bfloat16, 3>, any<Eigen::bfloat16, 3>, any<float, 2>>);

TEST(attended, has_the_extents_of_queries_and_value_channels) {
  const auto rows = make_attended<any<float, 4>, float>(lengths);
  EXPECT_EQ(rows.output.dimensions(), (Eigen::DSizes<Eigen::Index, 4>(2, 3, 4, 5)));
  EXPECT_EQ(rows.log_sum_exp.dimensions(), (Eigen::DSizes<Eigen::Index, 3>(2, 3, 4)));
  const auto columns = make_attended<any<float, 3, Eigen::ColMajor>, float>(lengths);
  EXPECT_EQ(columns.output.dimensions(), (Eigen::DSizes<Eigen::Index, 3>(5, 4, 3)));
  EXPECT_EQ(columns.log_sum_exp.dimensions(), (Eigen::DSizes<Eigen::Index, 2>(4, 3)));
  const auto tall = make_attended<row_matrix, float>(lengths);
  EXPECT_EQ(std::pair(tall.output.rows(), tall.output.cols()), std::pair(index_t(4), index_t(5)));
  const auto wide = make_attended<Eigen::MatrixXf, float>(lengths);
  EXPECT_EQ(std::pair(wide.output.rows(), wide.output.cols()), std::pair(index_t(5), index_t(4)));
  EXPECT_EQ(wide.log_sum_exp.size(), 4);
}

// The same bytes in every kind of tensor give the same bytes.
TEST(attended, has_the_same_bits_for_every_kind_of_tensor) {
  const auto mechanism = rope{} | dot_product{} | causal{};
  auto in = random_inputs<float>({.queries = 7, .keys = 9, .channels = 8, .value_channels = 5});
  const auto wanted = forward(mechanism, in.q, in.k, in.v);
  const auto expect = [&](auto&& q, auto&& k, auto&& v) {
    const auto got = forward(mechanism, q, k, v);
    EXPECT_TRUE(same_bits(got.output, wanted.output));
    EXPECT_TRUE(same_bits(got.log_sum_exp, wanted.log_sum_exp));
  };
  const auto reversed = [](tensor<float>& x) {
    return Eigen::TensorMap<any<float, 4, Eigen::ColMajor>>(x.data(), x.dimension(3), x.dimension(2), x.dimension(1),
                                                            x.dimension(0));
  };
  const auto rows = [](tensor<float>& x) { return Eigen::Map<const row_matrix>(x.data(), x.dimension(2), x.dimension(3)); };
  const auto columns = [](tensor<float>& x) {
    return Eigen::MatrixXf(Eigen::Map<const Eigen::MatrixXf>(x.data(), x.dimension(3), x.dimension(2)));
  };
  expect(reversed(in.q), reversed(in.k), reversed(in.v));
  expect(rows(in.q), rows(in.k), rows(in.v));
  expect(columns(in.q), columns(in.k), columns(in.v));
  expect(in.q, reversed(in.k), rows(in.v));
  expect(view_of(in.q), columns(in.k), view_of(in.v));
}

}  // namespace

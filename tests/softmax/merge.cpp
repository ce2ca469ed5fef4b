#include <longspan/softmax/merge.hpp>

#include <gtest/gtest.h>

#include <cmath>
#include <random>
#include <vector>

#include <longspan/tensor/eigen.hpp>

#include "support/tensors.hpp"
#include "support/words.hpp"

namespace {

using namespace longspan;
using namespace longspan::detail;
using namespace testing_support;

constexpr double infinity = std::numeric_limits<double>::infinity(), nan = std::numeric_limits<double>::quiet_NaN();

using part = attended<Eigen::MatrixXd, Eigen::VectorXd>;  // a column for each of three queries, two channels

// Attention over the keys first <= j < last, whose logits differ from query to query.
part attention(index_t first, index_t last) {
  part made{Eigen::MatrixXd::Zero(2, 3), Eigen::VectorXd::Constant(3, -infinity)};
  if (first >= last) return made;
  for (index_t i = 0; i < 3; ++i) {
    double sum = 0;
    for (index_t j = first; j < last; ++j) {
      const double weight = std::exp(8 * std::sin(double(7 * j + i)));
      sum += weight;
      made.output(0, i) += weight * double(j);
      made.output(1, i) += weight * std::cos(double(j));
    }
    made.output.col(i) /= sum;
    made.log_sum_exp(i) = std::log(sum);
  }
  return made;
}

void expect_near(const part& a, const part& b) {
  EXPECT_LT(worst_difference(a.output, b.output), 1e-13);
  EXPECT_LT(worst_difference(a.log_sum_exp, b.log_sum_exp), 1e-13);
}
void expect_same(const part& a, const part& b) {
  EXPECT_EQ(a.output, b.output);
  EXPECT_EQ(a.log_sum_exp, b.log_sum_exp);
}

TEST(merge, of_two_parts_is_attention_over_both) {
  for (index_t cut = 0; cut <= 20; ++cut) expect_near(merge(attention(0, cut), attention(cut, 20)), attention(0, 20));
}

TEST(merge, with_a_part_that_saw_nothing_is_the_other) {
  expect_same(merge(attention(0, 9), attention(0, 0)), attention(0, 9));
  expect_same(merge(attention(0, 0), attention(0, 9)), attention(0, 9));
  expect_same(merge(attention(0, 0), attention(0, 0)), attention(0, 0));
}

TEST(merge, groups_as_one_likes) {
  const part a = attention(0, 4), b = attention(4, 5), c = attention(5, 20);
  expect_near(merge(merge(a, b), c), merge(a, merge(b, c)));
  expect_same(merge(a, b), merge(b, a));
}

TEST(merge, keeps_nan_and_hides_what_was_not_seen) {
  part broken = attention(0, 9), unseen = attention(0, 9);
  broken.log_sum_exp(1) = nan, broken.output.col(1).setConstant(nan);
  unseen.log_sum_exp(2) = -infinity, unseen.output.col(2).setConstant(nan);
  const part whole = attention(9, 20);
  for (const part& both : {merge(broken, whole), merge(whole, broken)}) {
    EXPECT_TRUE(both.output.col(1).array().isNaN().all() && std::isnan(both.log_sum_exp(1)));
    EXPECT_TRUE(both.output.col(0).allFinite() && both.output.col(2).allFinite());
  }
  for (const part& both : {merge(unseen, whole), merge(whole, unseen)}) EXPECT_EQ(both.output.col(2), whole.output.col(2));
}

TEST(merge, takes_log_sum_exps_of_any_size) {
  const merged_row<double> far(5000, 0), deep(-5000, -5000 + std::log(3.0));
  EXPECT_EQ(far.left, 1);
  EXPECT_EQ(far.right, 0);
  EXPECT_EQ(far.log_sum_exp, 5000);
  EXPECT_NEAR(deep.left, 0.25, 1e-12);
  EXPECT_NEAR(deep.right, 0.75, 1e-12);
  EXPECT_NEAR(deep.log_sum_exp, -5000 + std::log(4.0), 1e-12);
}

// Every rank and order that forward answers with, and storage narrower than the log-sum-exp.
template <class S, int Rank, int Layout>
void expect_every_element() {
  using T = compute_t<S>;
  Eigen::array<Eigen::Index, Rank> extents;
  Eigen::array<Eigen::Index, Rank - 1> rows;
  extents.fill(3), rows.fill(3);
  attended filled{Eigen::Tensor<S, Rank, Layout>(extents), Eigen::Tensor<T, Rank - 1, Layout>(rows)};
  for (Eigen::Index i = 0; i < filled.output.size(); ++i) filled.output.data()[i] = S(float(i % 5));
  filled.log_sum_exp.setConstant(T(2));
  auto other = filled;
  for (Eigen::Index i = 0; i < other.output.size(); ++i) other.output.data()[i] = S(float(i % 3));
  const auto both = merge(filled, other);
  for (Eigen::Index i = 0; i < both.output.size(); ++i)
    EXPECT_EQ(both.output.data()[i], S((float(i % 5) + float(i % 3)) / 2)) << i;
  for (Eigen::Index i = 0; i < both.log_sum_exp.size(); ++i) EXPECT_NEAR(both.log_sum_exp.data()[i], 2 + std::log(2.0), 1e-6);
}

TEST(merge, reads_every_rank_and_order) {
  expect_every_element<float, 4, Eigen::RowMajor>();
  expect_every_element<double, 4, Eigen::ColMajor>();
  expect_every_element<float, 3, Eigen::ColMajor>();
  expect_every_element<Eigen::half, 4, Eigen::RowMajor>();
  expect_every_element<Eigen::bfloat16, 3, Eigen::RowMajor>();
}

TEST(merge, refuses_parts_of_different_calls) {
  const part other{Eigen::MatrixXd::Zero(2, 4), Eigen::VectorXd::Zero(4)},
      wider{Eigen::MatrixXd::Zero(5, 3), Eigen::VectorXd::Zero(3)};
  EXPECT_EQ(words_of<shape_error>([&] { static_cast<void>(merge(attention(0, 2), other)); }),
            "left and right differ in tokens: 3 and 4");
  EXPECT_EQ(words_of<shape_error>([&] { static_cast<void>(merge(attention(0, 2), wider)); }),
            "left and right differ in channels: 2 and 5");
}

// The memory of a part, as an engine would hand it over.
struct strided {
  std::vector<float> output, log_sum_exp;
  strided(float first, float sum) : output(2 * 3 * 4), log_sum_exp(2 * 3, sum) {
    for (std::size_t e = 0; e < output.size(); ++e) output[e] = first + float(e);
  }
  attended<view<float>, view<float>> views() {  // 2 heads, 3 queries, 4 channels; heads of a token side by side
    return {{output.data(), {1, 2, 3, 4}, {0, 4, 8, 1}}, {log_sum_exp.data(), {1, 2, 3, 1}, {0, 1, 2, 1}}};
  }
};

TEST(merge, of_views_leaves_both_as_they_are) {
  strided left(1, 2), right(-5, 3);
  const auto before = left;
  const attended a = left.views(), b = right.views();
  const auto once = merge(a, b), twice = merge(a, b);
  static_assert(std::is_same_v<decltype(once.output), Eigen::Tensor<float, 4, Eigen::RowMajor>>);
  EXPECT_EQ(left.output, before.output);
  EXPECT_EQ(left.log_sum_exp, before.log_sum_exp);
  EXPECT_EQ(worst_difference(once.output, twice.output), 0);
  EXPECT_EQ(worst_difference(once.log_sum_exp, twice.log_sum_exp), 0);
  const merged_row<float> share(2, 3);
  for (int h = 0; h < 2; ++h)
    for (int i = 0; i < 3; ++i) {
      EXPECT_EQ(once.log_sum_exp(0, h, i), share.log_sum_exp);
      for (int c = 0; c < 4; ++c) {
        const float place = float(8 * i + 4 * h + c);
        EXPECT_NEAR(once.output(0, h, i, c), share.left * (1 + place) + share.right * (-5 + place), 1e-5f);
      }
    }
}

TEST(merge, names_the_extents_of_a_view_of_log_sum_exps) {
  strided left(1, 2), right(-5, 3);
  auto three = right.views();
  three.log_sum_exp.extent = {1, 2, 3};
  EXPECT_EQ(words_of<shape_error>([&] { static_cast<void>(merge(left.views(), three)); }),
            "log_sum_exp has one number a row, as a view (batch, head, query, 1): its last extent must be 1, not 0");
}

TEST(merge, of_maps_and_of_a_view_with_a_tensor_makes_new_memory) {
  strided left(1, 2), right(-5, 3);
  using map = Eigen::Map<Eigen::Matrix<float, 6, 4, Eigen::RowMajor>>;
  using sums = Eigen::Map<Eigen::Vector<float, 6>>;
  const auto of_maps = merge(attended{map(left.output.data()), sums(left.log_sum_exp.data())},
                             attended{map(right.output.data()), sums(right.log_sum_exp.data())});
  EXPECT_EQ(left.output[5], 6);
  const auto of_views = merge(left.views(), right.views());
  EXPECT_EQ(of_maps.output(3, 1), of_views.output(0, 1, 1, 1));  // row 3 is token 1 of head 1
  const auto mixed = merge(left.views(), merge(right.views(), right.views()));
  EXPECT_EQ(worst_difference(mixed.output, merge(merge(right.views(), right.views()), left.views()).output), 0);
}

TEST(merge_into, writes_what_merge_returns) {
  strided left(1, 2), right(-5, 3);
  const auto wanted = merge(left.views(), right.views());
  const attended into = left.views();  // const views of memory that may be written
  merge_into(into, right.views());
  for (int h = 0; h < 2; ++h)
    for (int i = 0; i < 3; ++i) {
      EXPECT_EQ(left.log_sum_exp[std::size_t(2 * i + h)], wanted.log_sum_exp(0, h, i));
      for (int c = 0; c < 4; ++c) EXPECT_EQ(left.output[std::size_t(8 * i + 4 * h + c)], wanted.output(0, h, i, c));
    }
  EXPECT_EQ(right.output, strided(-5, 3).output);
  part whole = attention(0, 4);
  merge_into(whole, attention(4, 20));
  expect_same(whole, merge(attention(0, 4), attention(4, 20)));
}

TEST(merge_into, refuses_before_anything_is_written) {
  part into = attention(0, 2);
  const part other{Eigen::MatrixXd::Zero(2, 4), Eigen::VectorXd::Zero(4)},
      wider{Eigen::MatrixXd::Zero(5, 3), Eigen::VectorXd::Zero(3)}, longer{Eigen::MatrixXd::Zero(2, 3), Eigen::VectorXd::Zero(7)};
  const auto words = [&](const part& what) { return words_of<shape_error>([&] { merge_into(into, what); }); };
  EXPECT_EQ(words(other), "into and other differ in tokens: 3 and 4");
  EXPECT_EQ(words(wider), "into and other differ in channels: 2 and 5");
  EXPECT_EQ(words(longer), "log_sum_exp and output differ in tokens: 7 and 3");
  EXPECT_EQ(words(into), "into shares memory with other: it would be overwritten before it is read");
  expect_same(into, attention(0, 2));
}

}  // namespace

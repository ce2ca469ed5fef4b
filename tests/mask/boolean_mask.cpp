#include <longspan/mask/boolean_mask.hpp>

#include <gtest/gtest.h>

#include <array>
#include <cstdint>
#include <string>

#include <longspan/mask/concept.hpp>
#include <longspan/tensor/eigen.hpp>

#include "support/words.hpp"

namespace {

using namespace longspan;
using namespace longspan::detail;
using testing_support::words_of;

static_assert(mask<boolean_mask>);
static_assert(!std::is_constructible_v<boolean_mask> && std::is_copy_constructible_v<boolean_mask>);

constexpr shapes call{.batch = 2, .heads = 3, .key_heads = 3, .queries = 4, .keys = 5, .channels = 8, .all_keys = 5};

// Whether query 1 of head 2 of text 1 sees keys 0 to 4, a digit for each.
std::string seen_of_a_row(const boolean_mask& whole) {
  const query_row row{.position = 2, .keys = 5, .head = 2, .heads = 3, .batch = 1, .query = 1};
  whole.check(call);
  const auto asked = prepared(whole, call);
  const auto seen = visible(asked, row);
  std::string all;
  for (index_t j = 0; j < 5; ++j) all += contains(seen, j) ? '1' : '0';
  return all;
}

template <class S>
void expect_reads() {
  Eigen::Tensor<S, 4, Eigen::RowMajor> whole(2, 3, 4, 5);
  whole.setZero();
  whole(1, 2, 1, 0) = S(1), whole(1, 2, 1, 3) = S(true);
  EXPECT_EQ(seen_of_a_row(boolean_mask{whole}), "10010");
  const Eigen::Tensor<S, 4, Eigen::RowMajor>& fixed = whole;
  EXPECT_EQ(seen_of_a_row(boolean_mask{fixed}), "10010");
  EXPECT_EQ(seen_of_a_row(boolean_mask{Eigen::TensorMap<Eigen::Tensor<S, 4, Eigen::RowMajor>>(whole.data(), 2, 3, 4, 5)}),
            "10010");
  EXPECT_EQ(seen_of_a_row(boolean_mask{view<S>{whole.data(), {2, 3, 4, 5}, {60, 20, 5, 1}}}), "10010");
  EXPECT_EQ(seen_of_a_row(boolean_mask{view<const S>{whole.data() + 119, {2, 3, 4, 5}, {-60, -20, -5, -1}}}), "00000");
  EXPECT_EQ(seen_of_a_row(boolean_mask{view<const S>{whole.data() + 105 + 4, {1, 1, 1, 5}, {0, 0, 0, -1}}}), "01001");

  Eigen::Tensor<S, 4> columns(5, 4, 3, 2);  // the same, column-major
  columns.setZero();
  columns(2, 1, 2, 1) = S(1);
  EXPECT_EQ(seen_of_a_row(boolean_mask{columns}), "00100");
  Eigen::Tensor<S, 3, Eigen::RowMajor> of_heads(3, 4, 5);
  of_heads.setZero();
  of_heads(2, 1, 4) = S(1);
  EXPECT_EQ(seen_of_a_row(boolean_mask{of_heads}), "00001");
  Eigen::Tensor<S, 2, Eigen::RowMajor> of_queries(4, 5);
  of_queries.setZero();
  of_queries(1, 1) = S(1);
  EXPECT_EQ(seen_of_a_row(boolean_mask{of_queries}), "01000");
  Eigen::Matrix<S, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor> matrix(4, 5);
  matrix.setZero();
  matrix(1, 0) = S(1);
  EXPECT_EQ(seen_of_a_row(boolean_mask{matrix}), "10000");
}

TEST(boolean_mask, reads_bool_and_integers_of_8_bits) {
  expect_reads<bool>(), expect_reads<std::uint8_t>(), expect_reads<std::int8_t>(), expect_reads<char>();
}

TEST(boolean_mask, is_true_where_an_integer_is_not_zero) {
  const std::array<std::int8_t, 5> numbers{-128, 0, 127, -1, 2};
  EXPECT_EQ(seen_of_a_row(boolean_mask{view<const std::int8_t>{numbers.data(), {1, 1, 1, 5}, {0, 0, 0, 1}}}), "10111");
}

// It refers to the tensor: what changes between two calls counts.
TEST(boolean_mask, is_no_copy) {
  Eigen::Tensor<bool, 2, Eigen::RowMajor> seen(4, 5);
  seen.setConstant(false);
  const boolean_mask whole{seen};
  EXPECT_EQ(seen_of_a_row(whole), "00000");
  seen(1, 2) = true;
  EXPECT_EQ(seen_of_a_row(whole), "00100");
  EXPECT_EQ(seen_of_a_row(boolean_mask{whole}), "00100");
}

TEST(boolean_mask, of_extent_1_stands_for_all) {
  for (int ones = 0; ones < 16; ++ones) {
    Eigen::Tensor<bool, 4, Eigen::RowMajor> seen(ones & 1 ? 1 : 2, ones & 2 ? 1 : 3, ones & 4 ? 1 : 4, ones & 8 ? 1 : 5);
    seen.setConstant(false);
    seen(ones & 1 ? 0 : 1, ones & 2 ? 0 : 2, ones & 4 ? 0 : 1, ones & 8 ? 0 : 3) = true;
    EXPECT_EQ(seen_of_a_row(boolean_mask{seen}), ones & 8 ? "11111" : "00010") << ones;
  }
}

TEST(boolean_mask, names_the_axis_that_does_not_fit) {
  const bool all[120] = {};
  const auto words = [&](const std::array<index_t, 4>& extent) {
    return words_of<shape_error>([&] { boolean_mask{view<const bool>{all, extent, {60, 20, 5, 1}}}.check(call); });
  };
  EXPECT_EQ(words({2, 3, 4, 5}), "");
  EXPECT_EQ(words({1, 1, 1, 1}), "");
  const std::string rule = "; only an axis of extent 1 stands for all";
  EXPECT_EQ(words({3, 1, 4, 5}), "boolean_mask and the call differ in batch: 3 and 2" + rule);
  EXPECT_EQ(words({1, 2, 4, 5}), "boolean_mask and the call differ in heads: 2 and 3" + rule);
  EXPECT_EQ(words({1, 3, 5, 5}), "boolean_mask and the call differ in queries: 5 and 4" + rule);
  EXPECT_EQ(words({1, 3, 4, 4}), "boolean_mask and the call differ in keys: 4 and 5" + rule);
  EXPECT_EQ(words({1, 3, 0, 5}), "boolean_mask and the call differ in queries: 0 and 4" + rule);
  EXPECT_EQ(words({1, 1, -1, 5}), "boolean_mask has a negative extent: -1");
  EXPECT_EQ(words_of<shape_error>([] { boolean_mask{view<const bool>{nullptr, {1, 1, 4, 5}, {0, 0, 5, 1}}}.check(call); }),
            "boolean_mask has no memory behind its 20 elements");
}

}  // namespace

#include <longspan/tensor/view.hpp>

#include <gtest/gtest.h>

#include <vector>

namespace {

using namespace longspan;
using namespace longspan::detail;

TEST(view, finds_the_rows_of_a_head_by_its_strides) {
  std::vector<int> memory(1000);
  for (std::size_t i = 0; i < memory.size(); ++i) memory[i] = int(i);
  const view<int> whole{memory.data() + 5, {2, 3, 4, 5}, {300, 7, 60, 2}};
  EXPECT_EQ(whole.size(), 120);
  for (index_t b = 0; b < 2; ++b)
    for (index_t h = 0; h < 3; ++h) {
      const head_view<int> head = whole.head(b, h);
      EXPECT_EQ(head.tokens, 4);
      EXPECT_EQ(head.channels, 5);
      for (index_t i = 0; i < 4; ++i)
        for (index_t c = 0; c < 5; ++c) EXPECT_EQ(head.row(i)[c * head.channel_stride], 5 + 300 * b + 7 * h + 60 * i + 2 * c);
    }
}

TEST(view, may_be_read_where_it_may_be_written) {
  int number = 3;
  const view<int> writable{&number, {1, 1, 1, 1}, {9, 8, 7, 6}};
  const view<const int> readable = writable;
  EXPECT_EQ(readable.data, &number);
  EXPECT_EQ(readable.extent, writable.extent);
  EXPECT_EQ(readable.stride, writable.stride);
  static_assert(!std::is_convertible_v<view<const int>, view<int>>);
}

TEST(view, with_an_axis_of_nothing_has_no_elements) { EXPECT_EQ((view<int>{nullptr, {2, 3, 0, 5}, {}}.size()), 0); }

// Every pair of strides, from one precision to another and to the same.
template <class From, class To>
void expect_copied() {
  std::vector<From> from(60);
  for (std::size_t i = 0; i < from.size(); ++i) from[i] = From(float(i) / 4);
  for (const index_t from_stride : {1, 3, -2})
    for (const index_t to_stride : {1, 2, -4}) {
      std::vector<To> to(60, To(-1.f)), wanted = to;
      for (index_t c = 0; c < 6; ++c) wanted[std::size_t(30 + c * to_stride)] = To(float(30 + c * from_stride) / 4);
      copy_row(from.data() + 30, from_stride, to.data() + 30, to_stride, 6);
      EXPECT_EQ(to, wanted) << from_stride << " to " << to_stride;
    }
}

TEST(copy_row, copies_the_channels_of_a_token_to_another_precision_and_stride) {
  expect_copied<float, float>();
  expect_copied<float, double>();
  expect_copied<double, float>();
  expect_copied<double, double>();
}

}  // namespace

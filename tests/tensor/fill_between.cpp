#include <longspan/tensor/fill_between.hpp>

#include <gtest/gtest.h>

#include <span>
#include <vector>

namespace {

using namespace longspan;
using namespace longspan::detail;

TEST(tokens_of, are_some_of_one_row_of_the_batch) {
  std::vector<float> memory(2 * 3 * 5 * 2);
  const view<float> tensor{memory.data(), {2, 3, 5, 2}, {30, 10, 2, 1}};
  const auto some = tensor.tokens_of(1, {2, 4});
  EXPECT_EQ(some.extent, (std::array<index_t, 4>{1, 3, 2, 2}));
  for (index_t h = 0; h < 3; ++h)
    for (index_t i = 0; i < 2; ++i) EXPECT_EQ(some.head(0, h).row(i), tensor.head(1, h).row(2 + i));
}

TEST(fill_between, writes_only_what_belongs_to_no_text) {
  std::vector<float> memory(2 * 2 * 6 * 3, 1);
  const view<float> result{memory.data(), {2, 2, 6, 3}, {36, 18, 3, 1}};
  const std::vector<text> texts{{0, 0, {0, 4}, {}, 0, 0, 0}, {1, 1, {0, 2}, {}, 0, 0, 0}, {2, 1, {3, 5}, {}, 0, 0, 0}};
  fill_between(this_thread{}, result, std::span<const text>(texts), &text::queries, 7.f);
  for (index_t b = 0; b < 2; ++b)
    for (index_t h = 0; h < 2; ++h)
      for (index_t i = 0; i < 6; ++i) {
        const bool own = b == 0 ? i < 4 : i < 2 || i == 3 || i == 4;
        for (index_t c = 0; c < 3; ++c) EXPECT_EQ(result.head(b, h).row(i)[c], own ? 1 : 7) << b << i;
      }
}

}  // namespace

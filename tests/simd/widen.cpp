#include <longspan/simd/widen.hpp>

#include <gtest/gtest.h>

#include <vector>

#include <longspan/tensor/eigen.hpp>

#include "support/lanes.hpp"

namespace {

using namespace longspan;
using namespace longspan::detail;

// All 65536 numbers of a format, as Eigen widens them; NaN as NaN.
template <class S>
void expect_all_widen() {
  std::vector<S> narrow_numbers(1 << 16);
  for (std::size_t bits = 0; bits < narrow_numbers.size(); ++bits)
    narrow_numbers[bits] = Eigen::numext::bit_cast<S>(std::uint16_t(bits));
  std::vector<float> wide(narrow_numbers.size());
  copy_row(narrow_numbers.data(), 1, wide.data(), 1, index_t(wide.size()));
  for (std::size_t i = 0; i < wide.size(); ++i) {
    const float wanted = static_cast<float>(narrow_numbers[i]);
    EXPECT_TRUE(wide[i] == wanted || (std::isnan(wide[i]) && std::isnan(wanted))) << i;
  }
}

TEST(widen, is_exact_for_every_number) {
  expect_all_widen<Eigen::bfloat16>();
  expect_all_widen<Eigen::half>();
}

TEST(widen, of_odd_counts_and_strides_too) {
  std::vector<Eigen::bfloat16> from(200);
  for (std::size_t i = 0; i < from.size(); ++i) from[i] = Eigen::bfloat16(float(i));
  for (const index_t stride : {1, 2})
    for (index_t count = 0; count <= 70; ++count) {
      std::vector<float> to(80, -1.f);
      copy_row(from.data() + 3, stride, to.data(), 1, count);
      for (index_t c = 0; c < index_t(to.size()); ++c) EXPECT_EQ(to[std::size_t(c)], c < count ? float(3 + c * stride) : -1.f);
    }
}

}  // namespace

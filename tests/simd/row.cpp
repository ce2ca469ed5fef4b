#include <longspan/simd/row.hpp>

#include <gtest/gtest.h>

#include <limits>
#include <random>
#include <vector>

namespace {

using namespace longspan;
using namespace longspan::detail;

template <class T>
class row : public testing::Test {
 protected:
  static std::vector<T> random(std::size_t size) {
    std::mt19937 generator(1);
    std::normal_distribution<double> number;
    std::vector<T> made(size);
    for (T& x : made) x = T(number(generator));
    return made;
  }
};
using numbers = testing::Types<float, double>;
TYPED_TEST_SUITE(row, numbers);

// Every length around a few batches, so that a rest of every size is met.
constexpr std::size_t longest = 70;

TYPED_TEST(row, scale_multiplies_every_channel_and_none_beyond) {
  using T = TypeParam;
  for (std::size_t size = 0; size <= longest; ++size) {
    auto got = this->random(longest + 1), wanted = got;
    for (std::size_t c = 0; c < size; ++c) wanted[c] *= T(0.3);
    simd::scale(std::span(got).first(size), T(0.3));
    EXPECT_EQ(got, wanted) << size;
  }
}

TYPED_TEST(row, dot_of_a_row_with_itself_is_the_square_of_its_norm) {
  using T = TypeParam;
  const auto all = this->random(longest);
  double wanted = 0;
  for (std::size_t size = 0; size <= longest; ++size) {
    EXPECT_NEAR(simd::dot<T>(std::span(all).first(size), std::span(all).first(size)), wanted,
                8 * double(std::numeric_limits<T>::epsilon()) * (1 + wanted))
        << size;
    if (size < longest) wanted += double(all[size]) * double(all[size]);
  }
}

TYPED_TEST(row, dot_counts_every_channel_once) {
  using T = TypeParam;
  for (std::size_t size = 1; size <= longest; ++size)
    for (std::size_t at = 0; at < size; ++at) {
      std::vector<T> channels(size, T(0));
      channels[at] = T(-3);
      EXPECT_EQ(simd::dot<T>(channels, channels), 9) << at << " of " << size;
    }
}

}  // namespace

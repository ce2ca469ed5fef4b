#include <longspan/transform/least_numbers.hpp>

#include <gtest/gtest.h>

#include <limits>

#include <longspan/longspan.hpp>

#include "support/tensors.hpp"

namespace {

using namespace longspan;
using namespace longspan::detail;
using namespace testing_support;

// Of (batch, head, key) numbers that lie key by key.
template <class S>
view<const S> spread(const tensor<S>& numbers) {
  const index_t batches = numbers.dimension(0), keys = numbers.dimension(1), heads = numbers.dimension(2);
  return {numbers.data(), {batches, heads, 1, keys}, {keys * heads, 1, 0, heads}};
}

// Every interval, around the borders of blocks and in the last one, which is not whole.
TEST(least_numbers, are_those_of_any_interval) {
  const auto numbers = normal<float>(2, 203, 3, 1, 4);
  const least_numbers least(spread(numbers));
  for (index_t b = 0; b < 2; ++b)
    for (index_t h = 0; h < 3; ++h)
      for (index_t first = 0; first < 203; ++first) {
        double wanted = std::numeric_limits<double>::infinity();
        for (index_t last = first + 1; last <= 203; ++last) {
          wanted = std::min(wanted, double(numbers(b, last - 1, h, 0)));
          ASSERT_EQ(least(b, h, {first, last}), wanted) << first << " to " << last;
        }
      }
}

// What is not finite is below everything, and no other interval knows of it.
TEST(least_numbers, take_what_is_not_finite_for_minus_infinity) {
  for (const float bad : {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity()}) {
    auto numbers = normal<float>(1, 150, 1, 1, 4);
    numbers(0, 70, 0, 0) = bad;
    const least_numbers least(spread(numbers));
    for (index_t first = 0; first < 150; ++first)
      for (index_t last = first + 1; last <= 150; ++last)
        ASSERT_EQ(std::isinf(least(0, 0, {first, last})), first <= 70 && 70 < last) << first << " to " << last;
  }
}

}  // namespace

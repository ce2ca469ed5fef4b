#include <longspan/simd/batch.hpp>
#include <longspan/simd/dual.hpp>

#include <gtest/gtest.h>

#include "support/lanes.hpp"

namespace {

using namespace longspan;
using namespace longspan::detail;
using testing_support::lanes_of;

static_assert(std::is_same_v<simd::scalar<double>, double> && std::is_same_v<simd::scalar<dual<float>>, float>);
static_assert(std::is_same_v<simd::scalar<batch<float>>, float> && std::is_same_v<simd::scalar<dual<batch<double>>>, double>);
static_assert(simd::is_scalar<float> && simd::lanes<float> == 1 && simd::lanes<double> == 1);
static_assert(simd::lanes<batch<float>> * index_t(sizeof(float)) == index_t(sizeof(batch<float>)));
#if defined(LONGSPAN_SCALAR)
static_assert(simd::is_scalar<batch<float>> && simd::is_scalar<batch<double>>);
#endif

template <class T>
class batch_test : public testing::Test {};
using numbers = testing::Types<float, double>;
TYPED_TEST_SUITE(batch_test, numbers);

TYPED_TEST(batch_test, lane_numbers_count_from_zero) {
  using T = TypeParam;
  const auto counted = lanes_of(simd::lane_numbers<batch<T>>());
  for (std::size_t l = 0; l < counted.size(); ++l) EXPECT_EQ(counted[l], T(l));
  EXPECT_EQ(simd::lane_numbers<T>(), T(0));
}

// Rows of tensors begin anywhere: an address of every remainder is as good as an aligned one.
TYPED_TEST(batch_test, loads_and_stores_at_any_element) {
  using T = TypeParam;
  constexpr std::size_t lanes = std::size_t(simd::lanes<batch<T>>);
  std::vector<T> from(3 * lanes);
  for (std::size_t i = 0; i < from.size(); ++i) from[i] = T(i) + T(0.5);
  for (std::size_t at = 0; at <= lanes; ++at) {
    std::vector<T> to(3 * lanes, T(-1));
    simd::store(to.data() + at, simd::load<batch<T>>(from.data() + at));
    for (std::size_t i = 0; i < to.size(); ++i) EXPECT_EQ(to[i], i >= at && i < at + lanes ? from[i] : T(-1));
  }
}

}  // namespace

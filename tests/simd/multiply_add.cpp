#include <longspan/simd/multiply_add.hpp>

#include <gtest/gtest.h>

#include <limits>
#include <random>

#include "support/lanes.hpp"

namespace {

using namespace longspan;
using namespace longspan::detail;
using testing_support::batch_of;
using testing_support::lanes_of;

// (1 + e)^2 - (1 + 2 e) is e^2, which the rounding of the product loses. Volatile: the processor is asked, not the compiler.
template <class Batch>
void expect_rounding() {
  using T = simd::scalar<Batch>;
  volatile T e = std::ldexp(T(1), -(std::numeric_limits<T>::digits + 1) / 2), one = 1;
  const Batch x(T(one + e)), z(T(-one - 2 * e));
#if defined(__FMA__) || defined(__ARM_FEATURE_FMA)
  const T wanted = e * e;
#else
  const T wanted = 0;
#endif
  for (const T lane : lanes_of(simd::multiply_add(x, x, z))) EXPECT_EQ(lane, wanted);
}

TEST(multiply_add, rounds_once_where_the_instruction_set_can) {
  expect_rounding<batch<float>>();
  expect_rounding<batch<double>>();
  expect_rounding<float>();
  expect_rounding<double>();
}

// A row's bits may not depend on whether it was computed in a batch or alone.
template <class T>
void expect_lanes_like_products() {
  std::mt19937 generator(1);
  std::normal_distribution<double> number;
  for (int trial = 0; trial < 200; ++trial) {
    const auto any = [&] { return batch_of<batch<T>>([&](index_t) { return number(generator); }); };
    const batch<T> x = any(), y = any(), z = any();
    const auto a = lanes_of(x), b = lanes_of(y), c = lanes_of(z), sum = lanes_of(simd::multiply_add(x, y, z));
    for (std::size_t l = 0; l < sum.size(); ++l) EXPECT_EQ(sum[l], simd::multiply_add(a[l], b[l], c[l]));
  }
}

TEST(multiply_add, lanes_have_the_bits_of_scalars) {
  expect_lanes_like_products<float>();
  expect_lanes_like_products<double>();
}

TEST(multiply_add, multiplies_the_slope_of_a_dual_number) {
  const auto z = simd::multiply_add(dual<double>(3, 0.5), 4.0, 1.0);
  EXPECT_EQ(z.value, 13);
  EXPECT_EQ(z.slope, 2);
  EXPECT_EQ(simd::multiply_add(4.0, dual<double>(3, 0.5), 1.0).slope, 2);
}

}  // namespace

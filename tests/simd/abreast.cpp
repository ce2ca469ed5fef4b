#include <longspan/simd/abreast.hpp>

#include <gtest/gtest.h>

#include <cstring>
#include <limits>
#include <vector>

#include <longspan/simd/exp2.hpp>

namespace {

using namespace longspan;

template <class T>
class abreast_test : public testing::Test {};
using numbers = testing::Types<float, double>;
TYPED_TEST_SUITE(abreast_test, numbers);

// Whether both are the same bits: of NaN too.
template <class Batch>
bool same_bits(const Batch& a, const Batch& b) {
  return std::memcmp(&a, &b, sizeof(Batch)) == 0;
}

template <class T>
auto three_batches() {
  using Batch = simd::batch<T>;
  constexpr index_t lanes = simd::lanes<Batch>;
  std::vector<T> numbers(3 * std::size_t(lanes));
  for (std::size_t i = 0; i < numbers.size(); ++i) numbers[i] = T(-0.37) * T(i * i);
  numbers.back() = -std::numeric_limits<T>::infinity();
  return simd::abreast<Batch, 3>::of_numbers(
      [&](auto number) { return simd::load<Batch>(numbers.data() + index_t(number) * lanes); });
}

TYPED_TEST(abreast_test, computes_what_each_batch_does_alone) {
  using Batch = simd::batch<TypeParam>;
  using several = simd::abreast<Batch, 3>;
  const several x = three_batches<TypeParam>(), y = x * x - several(TypeParam(2));
  const several sum = x + y, largest = simd::max(x, y), chain = simd::multiply_add(x, y, sum);
  for (std::size_t i = 0; i < 3; ++i) {
    const Batch a = x.batches[i], b = a * a - Batch(TypeParam(2));
    EXPECT_TRUE(same_bits(y.batches[i], b)) << i;
    EXPECT_TRUE(same_bits(sum.batches[i], a + b)) << i;
    EXPECT_TRUE(same_bits(largest.batches[i], simd::max(a, b))) << i;
    EXPECT_TRUE(same_bits(chain.batches[i], simd::multiply_add(a, b, a + b))) << i;
  }
}

// The weights of a row have the same bits whether its batches come abreast or alone.
TYPED_TEST(abreast_test, exp2_has_the_bits_of_each_batch_alone) {
  const auto x = three_batches<TypeParam>(), power = simd::exp2(x, TypeParam(1.25));
  for (std::size_t i = 0; i < 3; ++i) EXPECT_TRUE(same_bits(power.batches[i], simd::exp2(x.batches[i], TypeParam(1.25)))) << i;
}

}  // namespace

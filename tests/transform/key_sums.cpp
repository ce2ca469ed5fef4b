#include <longspan/transform/key_sums.hpp>

#include <gtest/gtest.h>

#include <vector>

#include "support/lanes.hpp"

namespace {

using namespace longspan;
using namespace longspan::detail;
using namespace testing_support;

template <class Batch>
class key_sums_of : public testing::Test {};
using batches = testing::Types<batch<float>, batch<double>, float, double>;
TYPED_TEST_SUITE(key_sums_of, batches);

// For every place of a batch among 40 keys and beyond both ends: nothing else is touched.
TYPED_TEST(key_sums_of, take_the_numbers_of_their_keys) {
  using T = simd::scalar<TypeParam>;
  const interval keys{5, 45};
  for (const index_t stride : {1, 3})
    for (index_t first = keys.first - 2 * simd::lanes<TypeParam>; first <= keys.last + simd::lanes<TypeParam>; ++first) {
      std::vector<T> memory(std::size_t(40 * stride + 200), T(7));
      const key_sums<T> sums{memory.data() + 100, stride, keys};
      sums.add(first, batch_of<TypeParam>([](index_t l) { return l + 1; }));
      for (index_t at = 0; at < index_t(memory.size()); ++at) {
        const index_t j = keys.first + (at - 100) / stride;
        const bool own = at >= 100 && (at - 100) % stride == 0 && keys.contains(j);
        const bool added = own && first <= j && j < first + simd::lanes<TypeParam>;
        ASSERT_EQ(memory[std::size_t(at)], T(added ? 7 + j - first + 1 : 7)) << "from " << first << " at " << at;
      }
    }
}

TYPED_TEST(key_sums_of, a_stride_of_0_are_a_batch_for_all_keys) {
  using T = simd::scalar<TypeParam>;
  std::vector<T> memory(std::size_t(simd::lanes<TypeParam>) + 1, T(7));
  const key_sums<T> sums{memory.data(), 0, {}};
  for (const index_t first : {-3, 0, 1000}) sums.add(first, batch_of<TypeParam>([](index_t l) { return l; }));
  for (index_t l = 0; l < simd::lanes<TypeParam>; ++l) EXPECT_EQ(memory[std::size_t(l)], T(7 + 3 * l));
  EXPECT_EQ(memory.back(), 7);
}

}  // namespace

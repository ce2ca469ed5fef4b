#include <longspan/transform/keys.hpp>

#include <gtest/gtest.h>

#include "support/lanes.hpp"

namespace {

using namespace longspan;
using namespace longspan::detail;
using testing_support::lanes_of;

template <class Batch>
class keys_under_test : public testing::Test {};
using batches = testing::Types<batch<float>, batch<double>, float, double>;
TYPED_TEST_SUITE(keys_under_test, batches);

TYPED_TEST(keys_under_test, tell_where_the_keys_of_a_batch_stand) {
  for (const index_t first : {0, 3, 1000})
    for (const index_t query : {-5, 0, 7, 2000}) {
      const keys_under<TypeParam> keys{first, query, simd::lane_numbers<TypeParam>()};
      const auto positions = lanes_of(keys.position()), distances = lanes_of(keys.distance());
      for (index_t l = 0; l < index_t(positions.size()); ++l) {
        EXPECT_EQ(positions[std::size_t(l)], first + l);
        EXPECT_EQ(distances[std::size_t(l)], query - (first + l));
      }
    }
}

// Beyond 2^24 a float no longer tells neighbours apart, but a distance between them is small.
TYPED_TEST(keys_under_test, distances_are_exact_far_from_the_start) {
  const index_t far = (index_t(1) << 53) + 1;
  const keys_under<TypeParam> keys{far, far + 3, simd::lane_numbers<TypeParam>()};
  const auto distances = lanes_of(keys.distance());
  for (index_t l = 0; l < index_t(distances.size()); ++l) EXPECT_EQ(distances[std::size_t(l)], 3 - l);
}

}  // namespace

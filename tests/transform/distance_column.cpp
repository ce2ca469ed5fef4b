#include <longspan/transform/distance_column.hpp>

#include <gtest/gtest.h>

#include <longspan/transform/keys.hpp>

#include "support/lanes.hpp"

namespace {

using namespace longspan;
using namespace longspan::detail;
using testing_support::lanes_of;

// A call of 4 queries, the first at position 5, and 7 keys, the first at position 1, whose tiles touch up to 17 keys after the last.
// The mask shows distances from -1 on.
constexpr index_t first_query = 5, queries = 4, first_key = 1, keys = 7, padding = 17;
constexpr reach distances{.seen = {-1, 8},
                          .touched = {first_query - first_key - keys - padding, first_query + queries - first_key}};

double value_at(index_t t) { return distances.seen.contains(t) ? 0.5 * double(t) + 3 : 0; }

template <class T>
distance_column<T> filled() {
  distance_column<T> made(distances);
  for (index_t t = distances.seen.first; t < distances.seen.last; ++t) made.set(t, value_at(t));
  return made;
}

// Visits the keys of every batch that a tile may ask for in some row: the first lane at each key and the last before the padding ends.
template <class Lane, index_t Lanes, class Visit>
void for_each_batch(Visit visit) {
  for (index_t i = first_query; i < first_query + queries; ++i)
    for (index_t j = first_key; j + Lanes <= first_key + keys + padding; ++j) visit(i, keys_under<Lane>{j, i, {}});
}

template <class Batch>
class distance_column_of : public testing::Test {};
using batches = testing::Types<batch<float>, batch<double>, float, double>;
TYPED_TEST_SUITE(distance_column_of, batches);

TYPED_TEST(distance_column_of, batches_holds_the_number_of_each_distance) {
  using T = simd::scalar<TypeParam>;
  const auto column = filled<T>();
  index_t batches = 0;
  for_each_batch<TypeParam, simd::lanes<TypeParam>>([&](index_t i, const auto& under) {
    const auto got = lanes_of(column({.position = i})(under));
    for (index_t l = 0; l < index_t(got.size()); ++l)
      EXPECT_EQ(got[std::size_t(l)], T(value_at(i - under.first - l))) << i << ' ' << under.first + l;
    ++batches;
  });
  EXPECT_EQ(batches, queries * (keys + padding + 1 - simd::lanes<TypeParam>));
}

TYPED_TEST(distance_column_of, batches_has_no_slope_beside_dual_numbers) {
  using T = simd::scalar<TypeParam>;
  const auto column = filled<T>();
  for_each_batch<dual<TypeParam>, simd::lanes<TypeParam>>([&](index_t i, const auto& under) {
    const auto got = column({.position = i})(under);
    for (const T slope : lanes_of(got.slope)) EXPECT_EQ(slope, 0);
    EXPECT_EQ(lanes_of(got.value), lanes_of(column({.position = i})(keys_under<TypeParam>{under.first, i, {}})));
  });
}

// The table is made once for a call; copies of the transform share it.
TEST(distance_column, is_shared_by_its_copies) {
  distance_column<float> column({.seen = {0, 1}, .touched = {0, 1}});
  const auto copy = column;
  column.set(0, 4);
  EXPECT_EQ(copy({})(keys_under<float>{}), 4);
  EXPECT_EQ(copy({}).value, column({}).value);
}

}  // namespace

// Weighted values are summed before the sum is divided: it overflows where the number of keys times the largest value may not be a number.
#include <gtest/gtest.h>

#include <limits>

#include <longspan/longspan.hpp>

#include "support/tensors.hpp"

namespace {

using namespace longspan;
using namespace testing_support;

// All keys equal, all values too, so that every weight is as large as the largest: the output of the last of some queries.
template <class S>
double output_of(index_t queries, index_t keys, S value) {
  tensor<S> q(1, 1, queries, 4), k(1, 1, keys, 4), v(1, 1, keys, 4);
  q.setConstant(S(1)), k.setConstant(S(1)), v.setConstant(value);
  return double(forward(dot_product{} | everything{}, q, k, v).output(0, 0, queries - 1, 3));
}

template <class S>
void expect_numbers_up_to_the_bound() {
  constexpr index_t keys = 65536;
  const S largest = S(std::numeric_limits<float>::max() / float(keys) * 0.99f);
  for (const index_t queries : {1, 40}) {
    EXPECT_NEAR(output_of<S>(queries, keys, largest) / double(largest), 1, 1e-2);
    EXPECT_EQ(output_of<S>(queries, keys, S(3.3e38f)), std::numeric_limits<double>::infinity());
    EXPECT_NEAR(output_of<S>(queries, 1, S(3.3e38f)) / 3.3e38, 1, 1e-2);
  }
}

TEST(large_values, are_averaged_while_their_number_times_the_largest_is_a_float) {
  expect_numbers_up_to_the_bound<float>();
  expect_numbers_up_to_the_bound<Eigen::bfloat16>();
}

TEST(large_values, of_double_have_the_room_of_double) { EXPECT_NEAR(output_of<double>(40, 65536, 3.3e38) / 3.3e38, 1, 1e-12); }

}  // namespace

#include <longspan/transform/distance_table.hpp>

#include <gtest/gtest.h>

#include <algorithm>

#include <longspan/transform/keys.hpp>

#include "support/lanes.hpp"

namespace {

using namespace longspan;
using namespace longspan::detail;
using testing_support::lanes_of;

double bias_of(index_t t) { return 0.25 * double(t) - 3; }
affine affine_of(index_t t) { return {1 + 0.5 * double(t), bias_of(t)}; }

TEST(affine, is_a_scale_a_shift_or_nothing) {
  EXPECT_EQ(affine().scale, 1);
  EXPECT_EQ(affine().shift, 0);
  EXPECT_EQ(affine(3).scale, 1);
  EXPECT_EQ(affine(3).shift, 3);
  EXPECT_EQ(affine(2, 5).scale, 2);
  EXPECT_EQ(affine(2, 5).shift, 5);
}

// Queries from -4 to 9 and keys from 3 to 15, whose last batch reaches a batch beyond them.
template <class T>
reach distances() {
  return {{-4 - 14, 9 - 3 + 1}, {-4 - 14 - simd::lanes<batch<T>>, 9 - 3 + 1}};
}

// Every lane of every batch whose keys exist, at every remainder of the first key.
template <bool Scaled, class T, class F>
void expect_definition(F f) {
  using Batch = batch<T>;
  const distance_table<T, Scaled> table(distances<T>(), f);
  const T score = T(1.5);
  for (index_t query = -4; query < 10; ++query)
    for (index_t first = 3; first < 15; ++first) {
      const keys_under<Batch> keys{first, query, simd::lane_numbers<Batch>()};
      const auto function = table(query_row{.position = query});
      const auto logits = lanes_of(function(Batch(score), keys)),
                 slopes = lanes_of(function(dual<Batch>(Batch(score), Batch(T(1))), keys).slope);
      for (index_t l = 0; l < std::min(index_t(logits.size()), 15 - first); ++l) {
        const affine z = f(query - (first + l));
        EXPECT_EQ(logits[std::size_t(l)], T(z.scale.value * double(score) + z.shift.value))
            << "query " << query << ", key " << first + l;
        EXPECT_EQ(slopes[std::size_t(l)], T(z.scale.value));
      }
    }
}

TEST(distance_table, holds_the_function_under_every_batch) {
  expect_definition<false, float>(bias_of);
  expect_definition<false, double>(bias_of);
  expect_definition<true, float>(affine_of);
  expect_definition<true, double>(affine_of);
}

TEST(distance_table, asks_once_for_every_distance_that_is_seen) {
  std::vector<index_t> asked;
  const distance_table<double, false> table(reach{{-2, 5}, {-20, 9}}, [&](index_t t) { return asked.push_back(t), 0.0; });
  EXPECT_EQ(asked, (std::vector<index_t>{-2, -1, 0, 1, 2, 3, 4}));
}

TEST(distance_table, of_nothing_asks_for_nothing) {
  const auto refuse = [](index_t) -> double { throw std::logic_error("asked"); };
  EXPECT_NO_THROW((distance_table<float, false>(reach{{}, {-20, 9}}, refuse)));
  EXPECT_NO_THROW((distance_table<float, false>(reach{}, refuse)));
}

}  // namespace

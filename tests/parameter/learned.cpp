#include <longspan/parameter/learned.hpp>

#include <gtest/gtest.h>

#include "support/lanes.hpp"

namespace {

using namespace longspan;
using namespace longspan::detail;
using testing_support::lanes_of;

const learned half(0.5, 1);  // seeded

template <class T>
class learned_with : public testing::Test {};
using numbers = testing::Types<float, double>;
TYPED_TEST_SUITE(learned_with, numbers);

// With logits that carry no slope it is the number alone.
TYPED_TEST(learned_with, logits_is_a_number) {
  using Batch = batch<TypeParam>;
  const Batch four(TypeParam(4));
  const auto expect = [](const auto& answer, double wanted) {
    for (const TypeParam lane : lanes_of(as_logit<Batch>(answer))) EXPECT_EQ(lane, TypeParam(wanted));
  };
  expect(half + four, 4.5), expect(four + half, 4.5);
  expect(half - four, -3.5), expect(four - half, 3.5);
  expect(half * four, 2), expect(four * half, 2);
  expect(half / four, 0.125), expect(four / half, 8);
}

TYPED_TEST(learned_with, logits_is_compared_and_chosen) {
  using Batch = batch<TypeParam>;
  using longspan::max, longspan::min, longspan::select;
  const Batch four(TypeParam(4));
  const dual<Batch> dual_four{four, Batch(TypeParam(7))};
  const auto expect = [](const auto& answer, double wanted) {
    for (const TypeParam lane : lanes_of(as_logit<Batch>(answer))) EXPECT_EQ(lane, TypeParam(wanted));
  };
  expect(max(half, four), 4), expect(max(four, half), 4);
  expect(min(half, four), 0.5), expect(min(four, half), 0.5);
  expect(select(four > half, half, four), 0.5), expect(select(half > four, half, four), 4);
  expect(select(four < half, four, half), 0.5), expect(select(half < four, four, half), 4);
  const Batch exactly(TypeParam(0.5));
  expect(select(exactly <= half, four, half), 4), expect(select(half <= exactly, four, half), 4);
  expect(select(exactly >= half, four, half), 4), expect(select(half >= four, four, half), 0.5);
  expect(max(half, dual_four).value, 4), expect(max(half, dual_four).slope, 7);
  expect(min(dual_four, half).value, 0.5), expect(min(dual_four, half).slope, 1);
  expect(select(dual_four > half, half, dual_four).slope, 1), expect(select(dual_four > half, dual_four, half).slope, 7);
}

// With dual logits its seed is carried along: d/dp (p z^2) = z^2 where z has no slope of its own.
TYPED_TEST(learned_with, dual_logits_is_differentiated_by) {
  using Batch = batch<TypeParam>;
  const dual<Batch> three{Batch(TypeParam(3))};
  const auto z = as_logit<dual<Batch>>(half * three * three + half);
  for (const TypeParam lane : lanes_of(z.value)) EXPECT_EQ(lane, TypeParam(5));
  for (const TypeParam lane : lanes_of(z.slope)) EXPECT_EQ(lane, TypeParam(10));
}

TEST(learned, is_set_and_combined_like_a_double) {
  struct part {
    learned number = 2.0;
  };
  EXPECT_EQ(part{.number = 3}.number, 3);
  EXPECT_EQ(part{.number = 0.25f}.number, 0.25);
  EXPECT_EQ((half * 4 - 1).value, 1);
  EXPECT_EQ((half * 4 - 1).slope, 4);
  EXPECT_EQ(log(half).slope, 2);
  EXPECT_EQ(part{}.number.slope, 0);
}

static_assert(logit_like<double, double> && logit_like<learned, double> && logit_like<float, dual<double>>);
static_assert(!logit_like<const char*, double>);

}  // namespace

#include <longspan/simd/select.hpp>

#include <gtest/gtest.h>

#include <array>

#include "support/lanes.hpp"

namespace {

using namespace longspan;
using testing_support::batch_of;
using testing_support::lanes_of;

TEST(select, picks_a_scalar) {
  EXPECT_EQ(select(true, 1.5, 2.5), 1.5);
  EXPECT_EQ(select(false, 1.5f, 2.5f), 2.5f);
}

TEST(select, takes_a_plain_number_for_either) {
  EXPECT_EQ(select(true, 1.5, 2), 1.5);
  EXPECT_EQ(select(false, 1.5f, 2.25), 2.25);
  const dual<float> x(1, 10);
  EXPECT_EQ(select(true, x, 2.5).slope, 10);
  EXPECT_EQ(select(false, x, 2.5).value, 2.5f);
  EXPECT_EQ(select(false, x, 2).slope, 0);
  EXPECT_EQ(select(true, -3, x).value, -3);
  EXPECT_EQ(select(false, -3, x).slope, 10);
  using Batch = longspan::simd::batch<float>;
  const Batch b(4);
  EXPECT_EQ(lanes_of(Batch(select(b > Batch(3), b, -2.5))), lanes_of(Batch(4)));
  EXPECT_EQ(lanes_of(Batch(select(b > Batch(4), b, -2.5))), lanes_of(Batch(-2.5f)));
  EXPECT_EQ(lanes_of(Batch(select(b > Batch(4), 1, b))), lanes_of(Batch(4)));
}

TEST(select, picks_value_and_slope_together) {
  const dual<double> a(1, 10), b(2, 20);
  EXPECT_EQ(select(true, a, b).value, 1);
  EXPECT_EQ(select(true, a, b).slope, 10);
  EXPECT_EQ(select(false, a, b).value, 2);
  EXPECT_EQ(select(false, a, b).slope, 20);
}

TEST(select, a_slope_not_picked_may_be_nan) {
  const dual<double> x(-1, 1);
  EXPECT_EQ(select(x < 0, dual<double>(0), sqrt(x)).slope, 0);
}

struct choice {
  double x, y;
  dual<double> largest, smallest, size;  // of x with slope 3 and y with slope 5; |x|
};
const std::array choices{choice{1, 2, {2, 5}, {1, 3}, {1, 3}}, choice{2, 1, {2, 3}, {1, 5}, {2, 3}},
                         choice{-4, -1, {-1, 5}, {-4, 3}, {4, -3}}, choice{-1, -4, {-1, 3}, {-4, 5}, {1, -3}}};

TEST(select, max_min_and_abs_carry_the_slope_of_their_side) {
  for (const choice& c : choices) {
    const dual<double> x(c.x, 3), y(c.y, 5);
    EXPECT_EQ(max(x, y).value, c.largest.value);
    EXPECT_EQ(max(x, y).slope, c.largest.slope);
    EXPECT_EQ(min(x, y).value, c.smallest.value);
    EXPECT_EQ(min(x, y).slope, c.smallest.slope);
    EXPECT_EQ(abs(x).value, c.size.value);
    EXPECT_EQ(abs(x).slope, c.size.slope);
  }
}

template <class T>
void expect_lanes() {
  using Batch = simd::batch<T>;
  const auto of = [](auto field) {
    return batch_of<Batch>([=](index_t l) { return field(choices[std::size_t(l) % choices.size()]); });
  };
  const dual<Batch> x(of([](const choice& c) { return c.x; }), Batch(T(3))),
      y(of([](const choice& c) { return c.y; }), Batch(T(5)));
  const auto expect = [&](const dual<Batch>& made, dual<double> choice::* wanted) {
    EXPECT_EQ(lanes_of(made.value), lanes_of(of([=](const choice& c) { return (c.*wanted).value; })));
    EXPECT_EQ(lanes_of(made.slope), lanes_of(of([=](const choice& c) { return (c.*wanted).slope; })));
  };
  expect(max(x, y), &choice::largest);
  expect(min(x, y), &choice::smallest);
  expect(abs(x), &choice::size);
}

TEST(select, lanes_choose_for_themselves) {
  expect_lanes<float>();
  expect_lanes<double>();
}

}  // namespace

#include <longspan/simd/words.hpp>

#include <gtest/gtest.h>

#include <cmath>

#include <longspan/tensor/eigen.hpp>

#include "support/lanes.hpp"

namespace {

using namespace longspan;
using namespace longspan::detail;
using testing_support::batch_of;
using testing_support::lanes_of;

static_assert(std::is_same_v<common_words<float, float, float>, number_words<float>>);
static_assert(std::is_same_v<common_words<double, double, double>, number_words<double>>);
static_assert(std::is_same_v<common_words<Eigen::half, Eigen::half, Eigen::half>, number_words<float>>);
static_assert(std::is_same_v<common_words<Eigen::bfloat16, float, Eigen::bfloat16>, number_words<float>>);

TEST(number_words, are_numbers) {
  using words = number_words<float>;
  using Batch = words::Batch;
  const Batch x = batch_of<Batch>([](index_t l) { return l; });
  EXPECT_EQ(lanes_of(words::join({x})), lanes_of(x));
  for (const float lane : lanes_of(words::multiply_add(Batch(2.f), Batch(3.f), Batch(1.f)))) EXPECT_EQ(lane, 7);
}

#if defined(LONGSPAN_MULTIPLIES_BFLOAT16)
static_assert(std::is_same_v<common_words<Eigen::bfloat16, Eigen::bfloat16, Eigen::bfloat16>, bfloat16_words>);
#else
static_assert(std::is_same_v<common_words<Eigen::bfloat16, Eigen::bfloat16, Eigen::bfloat16>, number_words<float>>);
#endif

#if defined(__AVX512BF16__) && !defined(LONGSPAN_SCALAR)
std::vector<Eigen::bfloat16> numbers_of(const batch<float>& words) {
  std::vector<Eigen::bfloat16> numbers(32);
  simd::store(reinterpret_cast<float*>(numbers.data()), words);
  return numbers;
}

TEST(bfloat16_words, join_rounds_to_the_nearest_in_order) {
  const auto value = [](index_t i) { return 1.f + float(i) / 1000; };
  const auto joined = numbers_of(
      bfloat16_words::join({batch_of<batch<float>>(value), batch_of<batch<float>>([&](index_t l) { return value(16 + l); })}));
  for (index_t i = 0; i < 32; ++i) EXPECT_EQ(joined[std::size_t(i)], Eigen::bfloat16(value(i)));
}

TEST(bfloat16_words, rounded_is_what_join_makes) {
  const auto numbers = batch_of<batch<float>>([](index_t l) { return std::ldexp(1 + float(l) / 1000, int(l) - 8); });
  const auto rounded = lanes_of(bfloat16_words::rounded(numbers));
  const auto joined = numbers_of(bfloat16_words::join({numbers, numbers}));
  for (std::size_t l = 0; l < 16; ++l) EXPECT_EQ(rounded[l], float(joined[l]));
}

TEST(bfloat16_words, together_makes_pairs_and_only_keeps_one_of_each) {
  const auto even = batch_of<batch<float>>([](index_t l) { return l; }),
             odd = batch_of<batch<float>>([](index_t l) { return -l - 1; });
  const auto pairs = bfloat16_words::together(even, odd);
  const auto both = numbers_of(pairs), first = numbers_of(bfloat16_words::only(pairs, 0)),
             second = numbers_of(bfloat16_words::only(pairs, 1));
  for (index_t l = 0; l < 16; ++l) {
    const auto at = std::size_t(2 * l);
    EXPECT_EQ(float(both[at]), float(l));
    EXPECT_EQ(float(both[at + 1]), float(-l - 1));
    EXPECT_EQ(float(first[at]), float(l));
    EXPECT_EQ(float(first[at + 1]), 0);
    EXPECT_EQ(float(second[at]), 0);
    EXPECT_EQ(float(second[at + 1]), float(-l - 1));
  }
}

TEST(bfloat16_words, multiply_both_numbers_of_a_word) {
  const auto left = bfloat16_words::together(batch<float>(2.f), batch<float>(3.f)),
             right = bfloat16_words::together(batch<float>(5.f), batch<float>(7.f));
  for (const float lane : lanes_of(bfloat16_words::multiply_add(left, right, batch<float>(100.f)))) EXPECT_EQ(lane, 131);
}
#endif

}  // namespace

#include <longspan/simd/keep.hpp>

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

#include "support/lanes.hpp"

namespace {

using namespace longspan;
using namespace longspan::detail;
using namespace testing_support;

template <class T>
class keep : public testing::Test {
 public:
  using Batch = batch<T>;
  static constexpr index_t lanes = simd::lanes<Batch>;
};
using numbers = testing::Types<float, double>;
TYPED_TEST_SUITE(keep, numbers);

// Every pattern of the lanes' bits at the ends and in the middle, and bits of keys beyond them.
std::vector<std::uint64_t> patterns(index_t lanes) {
  std::vector<std::uint64_t> all{0, ~std::uint64_t(0), 0x5555'5555'5555'5555, 0xaaaa'aaaa'aaaa'aaaa,
                                 ~std::uint64_t(0) << lanes % 64};
  for (index_t l = 0; l < 64; ++l) {
    const std::uint64_t one = std::uint64_t(1) << l;
    for (const std::uint64_t bits : {one, ~one, one - 1, ~(one - 1), one << 1}) all.push_back(bits);
  }
  for (std::uint64_t bits = 0; bits < (std::uint64_t(1) << std::min<index_t>(lanes, 8)); ++bits)
    all.push_back(bits), all.push_back(bits << (lanes / 2)), all.push_back(bits | std::uint64_t(1) << 63);
  return all;
}

TYPED_TEST(keep, takes_the_value_where_the_bit_is_set) {
  using Batch = typename TestFixture::Batch;
  const auto value = batch_of<Batch>([](index_t l) { return 1 + l; }),
             other = batch_of<Batch>([](index_t l) { return -0.5 - double(l); });
  for (const std::uint64_t bits : patterns(TestFixture::lanes)) {
    const auto kept = lanes_of(simd::keep(bits, value, other));
    for (std::size_t l = 0; l < kept.size(); ++l)
      EXPECT_EQ(kept[l], TypeParam((bits >> l & 1) != 0 ? 1 + double(l) : -0.5 - double(l))) << bits << " lane " << l;
  }
}

// A hidden lane may hold anything, and what takes its place too: bits are chosen, not multiplied.
TYPED_TEST(keep, is_touched_by_nothing_that_the_other_lanes_hold) {
  using Batch = typename TestFixture::Batch;
  using limits = std::numeric_limits<TypeParam>;
  for (const TypeParam anything :
       {limits::quiet_NaN(), limits::infinity(), -limits::infinity(), TypeParam(-0.0), limits::denorm_min()})
    for (const std::uint64_t bits : patterns(TestFixture::lanes)) {
      const auto where = [&](index_t l) { return (bits >> l & 1) != 0; };
      const auto value = batch_of<Batch>([&](index_t l) { return where(l) ? TypeParam(7) : anything; });
      for (const TypeParam lane : lanes_of(simd::keep(bits, value, Batch(TypeParam(7))))) ASSERT_EQ(lane, 7);
      const auto replaced = batch_of<Batch>([&](index_t l) { return where(l) ? anything : TypeParam(7); });
      for (const TypeParam lane : lanes_of(simd::keep(bits, Batch(TypeParam(7)), replaced))) ASSERT_EQ(lane, 7);
    }
}

TYPED_TEST(keep, hands_over_every_bit_of_a_number) {
  using Batch = typename TestFixture::Batch;
  using bits_t = std::conditional_t<sizeof(TypeParam) == 8, std::uint64_t, std::uint32_t>;
  const auto nan = -std::numeric_limits<TypeParam>::quiet_NaN(), zero = TypeParam(-0.0);
  const auto kept = lanes_of(simd::keep(0x5555'5555'5555'5555, Batch(nan), Batch(zero)));
  for (std::size_t l = 0; l < kept.size(); ++l)
    EXPECT_EQ(std::bit_cast<bits_t>(kept[l]), std::bit_cast<bits_t>(l % 2 == 0 ? nan : zero));
}

}  // namespace

#include <longspan/tensor/bits.hpp>

#include <gtest/gtest.h>

#include <array>
#include <cstdint>
#include <cstring>
#include <limits>
#include <type_traits>
#include <vector>

#include <longspan/longspan.hpp>

#include "support/tensors.hpp"
#include "support/words.hpp"

namespace {

using namespace longspan;
using namespace testing_support;

static_assert(std::is_same_v<decltype(bfloat16_bits(std::declval<std::uint16_t*>())), Eigen::bfloat16*>);
static_assert(std::is_same_v<decltype(bfloat16_bits(std::declval<const std::uint16_t*>())), const Eigen::bfloat16*>);
static_assert(std::is_same_v<decltype(half_bits(std::declval<const void*>())), const Eigen::half*>);
static_assert(std::is_same_v<decltype(half_bits(std::declval<short*>())), Eigen::half*>);

// As engines in C have them.
struct bf16 {
  std::uint16_t bits;
};

TEST(bits, are_the_numbers_whose_bits_they_are) {
  const std::uint16_t brain[] = {0x3f80, 0xc040, 0x0000, 0x7f80}, half[] = {0x3c00, 0xc200, 0x7bff};
  EXPECT_EQ(float(bfloat16_bits(brain)[0]), 1);
  EXPECT_EQ(float(bfloat16_bits(brain)[1]), -3);
  EXPECT_EQ(float(bfloat16_bits(brain)[3]), std::numeric_limits<float>::infinity());
  EXPECT_EQ(float(half_bits(half)[0]), 1);
  EXPECT_EQ(float(half_bits(half)[1]), -3);
  EXPECT_EQ(float(half_bits(half)[2]), 65504);
  bf16 written{};
  *bfloat16_bits(&written) = Eigen::bfloat16(2.f);
  EXPECT_EQ(written.bits, 0x4000);
}

// Words in, words out: the call on tensors of Eigen's numbers, to the bit.
template <class S, class Word, class AsNumbers>
void expect_the_bits_of_a_call_on_numbers(AsNumbers as_numbers) {
  constexpr index_t tokens = 21, channels = 24;
  const auto in = random_inputs<S>(
      {.heads = 2, .key_heads = 2, .queries = tokens, .keys = tokens, .channels = channels, .value_channels = channels});
  const auto mechanism = rope{} | dot_product{} | causal{};
  const auto wanted = forward(mechanism, in.q, in.k, in.v);
  const auto words = [](const tensor<S>& t) {
    std::vector<Word> bits(std::size_t(t.size()));
    std::memcpy(bits.data(), t.data(), bits.size() * sizeof(Word));
    return bits;
  };
  const std::array<index_t, 4> extent{1, 2, tokens, channels}, stride{2 * tokens * channels, tokens * channels, channels, 1};
  const auto q = words(in.q), k = words(in.k), v = words(in.v);
  std::vector<Word> output(q.size());
  const auto input = [&](const std::vector<Word>& bits) { return view<const S>{as_numbers(bits.data()), extent, stride}; };
  forward_into(mechanism, input(q), input(k), input(v), view<S>{as_numbers(output.data()), extent, stride});
  EXPECT_EQ(std::memcmp(output.data(), wanted.output.data(), output.size() * sizeof(Word)), 0);
}

TEST(bits, make_tensors_to_read_and_to_write) {
  expect_the_bits_of_a_call_on_numbers<Eigen::bfloat16, std::uint16_t>([](auto* words) { return bfloat16_bits(words); });
  expect_the_bits_of_a_call_on_numbers<Eigen::bfloat16, bf16>([](auto* words) { return bfloat16_bits(words); });
  expect_the_bits_of_a_call_on_numbers<Eigen::half, std::uint16_t>([](auto* words) { return half_bits(words); });
}

}  // namespace

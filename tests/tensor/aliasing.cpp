#include <longspan/tensor/aliasing.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <iterator>
#include <set>
#include <vector>

#include <longspan/longspan.hpp>

#include "support/tensors.hpp"
#include "support/words.hpp"

namespace {

using namespace longspan;
using namespace longspan::detail;
using namespace testing_support;

template <class S>
std::set<const void*> elements(const view<S>& of) {
  std::set<const void*> all;
  for (index_t b = 0; b < of.extent[0]; ++b)
    for (index_t h = 0; h < of.extent[1]; ++h)
      for (index_t i = 0; i < of.extent[2]; ++i)
        for (index_t c = 0; c < of.extent[3]; ++c) all.insert(of.head(b, h).row(i) + c * of.stride[3]);
  return all;
}

TEST(bytes, reach_from_the_first_element_to_the_last) {
  std::vector<double> memory(200);
  for (const std::array<index_t, 4> stride :
       {std::array<index_t, 4>{60, 20, 5, 1}, {0, 0, 2, 7}, {60, -20, 5, -1}, {-50, 0, -5, 1}}) {
    const view<double> of{memory.data() + 100, {2, 2, 3, 4}, stride};
    const auto all = elements(of);
    EXPECT_EQ(bytes(of).first, index_t(reinterpret_cast<std::intptr_t>(*all.begin())));
    EXPECT_EQ(bytes(of).last, index_t(reinterpret_cast<std::intptr_t>(*all.rbegin())) + 8);
  }
  EXPECT_TRUE(bytes(view<double>{memory.data(), {2, 0, 3, 4}, {1, 1, 1, 1}}).empty());
}

// Refused exactly where two indices share an element, among layouts whose axes nest.
TEST(require_distinct, refuses_elements_written_over_each_other) {
  std::vector<float> memory(2000);
  const auto words = [&](std::array<index_t, 4> extent, std::array<index_t, 4> stride) {
    const view<float> of{memory.data() + 1000, extent, stride};
    const std::string refusal = words_of<shape_error>([&] { require_distinct("output", of); });
    EXPECT_EQ(refusal.empty(), index_t(elements(of).size()) == of.size()) << refusal;
    return refusal;
  };
  EXPECT_EQ(words({2, 2, 3, 4}, {24, 12, 4, 1}), "");
  EXPECT_EQ(words({2, 2, 3, 4}, {100, 4, 8, 1}), "");
  EXPECT_EQ(words({2, 2, 3, 4}, {-24, 12, -4, 1}), "");
  EXPECT_EQ(words({1, 1, 3, 4}, {0, 0, 4, 1}), "");
  EXPECT_EQ(words({1, 1, 3, 4}, {0, 0, 3, 1}), "output writes elements over each other: stride 3 and 4 elements below it");
  EXPECT_EQ(words({1, 1, 3, 4}, {0, 0, 4, 0}), "output writes elements over each other: stride 0 and 1 elements below it");
  EXPECT_EQ(words({2, 1, 3, 4}, {0, 0, 4, 1}), "output writes elements over each other: stride 0 and 1 elements below it");
  EXPECT_EQ(words({1, 2, 3, 4}, {0, 11, 4, 1}), "output writes elements over each other: stride 11 and 12 elements below it");
  EXPECT_NO_THROW(require_distinct("output", view<float>{memory.data(), {2, 2, 0, 4}, {0, 0, 0, 0}}));
}

// q, k, v and output side by side in one buffer: (batch, token, [heads], channel), as a fused projection writes them.
struct fused {
  static constexpr index_t heads = 4, tokens = 7, channels = 8, row = 4 * heads * channels;
  std::vector<float> memory = std::vector<float>(std::size_t(2 * tokens * row));
  fused() {
    for (std::size_t i = 0; i < memory.size(); ++i) memory[i] = std::sin(float(i));
  }
  view<float> part(index_t first_head) {
    return {memory.data() + first_head * channels, {2, heads, tokens, channels}, {tokens * row, channels, row, 1}};
  }
  static tensor<float> copy(const view<float>& from) {
    tensor<float> made(2, heads, tokens, channels);
    for (index_t b = 0; b < 2; ++b)
      for (index_t h = 0; h < heads; ++h)
        for (index_t i = 0; i < tokens; ++i) std::memcpy(&made(b, h, i, 0), from.head(b, h).row(i), sizeof(float) * channels);
    return made;
  }
};

const auto mechanism = dot_product{} | causal{};

TEST(aliasing, an_output_may_stand_between_its_inputs) {
  fused buffer;
  const auto wanted = forward(mechanism, fused::copy(buffer.part(0)), fused::copy(buffer.part(4)), fused::copy(buffer.part(8)));
  const auto output = buffer.part(12);
  forward_into(mechanism, buffer.part(0), buffer.part(4), buffer.part(8), output);
  EXPECT_TRUE(same_bits(fused::copy(output), wanted.output));
}

TEST(aliasing, an_output_on_an_input_is_refused_by_name) {
  fused buffer;
  const auto before = buffer.memory;
  const auto words = [&](const view<float>& output) {
    return words_of<shape_error>([&] { forward_into(mechanism, buffer.part(0), buffer.part(4), buffer.part(8), output); });
  };
  EXPECT_EQ(words(buffer.part(0)), "output shares memory with query: attention cannot be computed in place");
  EXPECT_EQ(words(buffer.part(4)), "output shares memory with key: attention cannot be computed in place");
  EXPECT_EQ(words(buffer.part(8)), "output shares memory with value: attention cannot be computed in place");
  auto shifted = buffer.part(11);  // its first head is the last of the values
  EXPECT_EQ(words(shifted), "output shares memory with value: attention cannot be computed in place");
  shifted = buffer.part(12), shifted.data -= 1;
  EXPECT_EQ(words(shifted), "output shares memory with value: attention cannot be computed in place");
  EXPECT_EQ(buffer.memory, before);
}

TEST(aliasing, log_sum_exp_has_memory_of_its_own) {
  auto in = random_inputs<float>({.queries = 5, .keys = 9, .channels = 8, .value_channels = 4});
  tensor<float> output(1, 1, 5, 4);
  const auto words = [&](float* memory) {
    return words_of<shape_error>(
        [&] { forward_into(mechanism, in.q, in.k, in.v, output, view<float>{memory, {1, 1, 5, 1}, {5, 5, 1, 1}}); });
  };
  EXPECT_EQ(words(output.data() + 18), "output shares memory with log_sum_exp: attention cannot be computed in place");
  EXPECT_EQ(words(in.k.data()), "log_sum_exp shares memory with key: attention cannot be computed in place");
  EXPECT_EQ(words(in.q.data() + 39), "log_sum_exp shares memory with query: attention cannot be computed in place");
}

TEST(aliasing, inputs_may_be_one_tensor) {
  const auto in = random_inputs<float>({.queries = 9, .keys = 9});
  EXPECT_NO_THROW(forward(mechanism, in.q, in.q, in.q));
}

// Interleaved is a question of every element: compared with all of them, for outputs at every offset in the period of an input.
TEST(interleaved, is_told_from_overlapping_at_every_offset) {
  std::vector<float> memory(400);
  for (const index_t heads : {1, 2})
    for (index_t offset = 0; offset < 40; ++offset) {
      const view<float> in{memory.data() + 40, {2, heads, 4, 3}, {80, 5, 20, 1}},
          out{memory.data() + 20 + offset, {2, heads, 4, 3}, {80, 5, 20, 1}};
      std::vector<const void*> shared;
      const auto a = elements(in), b = elements(out);
      std::ranges::set_intersection(a, b, std::back_inserter(shared));
      EXPECT_EQ(words_of<shape_error>([&] { require_apart("output", out, "key", in); }).empty(), shared.empty())
          << "offset " << offset;
    }
}

}  // namespace

#include <longspan/tensor/aliasing.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <iterator>
#include <random>
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

template <class S>
std::set<std::intptr_t> bytes(const view<S>& of) {
  std::set<std::intptr_t> all;
  for (const void* element : elements(of))
    for (std::size_t byte = 0; byte < sizeof(S); ++byte)
      all.insert(reinterpret_cast<std::intptr_t>(element) + std::intptr_t(byte));
  return all;
}

// Small random layouts: axes side by side, nested, overlapping, backwards, of extent 1 or with a stride of 0.
struct layouts {
  std::mt19937 random{1};

  index_t number(index_t first, index_t last) { return std::uniform_int_distribution<index_t>(first, last)(random); }
  template <class S>
  view<S> next(std::byte* memory) {
    view<S> made{reinterpret_cast<S*>(memory + 4096 + number(-20, 20) * index_t(sizeof(S)))};
    std::array<std::size_t, 4> order{0, 1, 2, 3};
    std::ranges::shuffle(order, random);
    index_t inner = number(1, 3);
    for (const std::size_t axis : order) {
      made.extent[axis] = number(0, 40) == 0 ? 0 : number(1, 4);
      made.stride[axis] = (number(0, 3) == 0 ? number(0, 12) : inner) * (number(0, 4) == 0 ? -1 : 1);
      inner = number(0, 1) == 0 ? inner * number(1, 3) : inner * made.extent[axis] + number(0, 2);
    }
    return made;
  }
};

// Apart or not is a question of every byte: compared with all of them.
template <class A, class B>
void expect_every_shared_byte() {
  alignas(8) static std::byte memory[8192];
  layouts some;
  int sharing = 0;
  for (int trial = 0; trial < 3000; ++trial) {
    const auto a = some.next<A>(memory);
    const auto b = some.next<B>(memory);
    const auto of_a = bytes(a), of_b = bytes(b);
    std::vector<std::intptr_t> shared;
    std::ranges::set_intersection(of_a, of_b, std::back_inserter(shared));
    ASSERT_EQ(share_memory(a, b), !shared.empty()) << trial;
    ASSERT_EQ(share_memory(b, a), !shared.empty()) << trial;
    sharing += !shared.empty();
  }
  EXPECT_TRUE(300 < sharing && sharing < 2700) << sharing;
}

TEST(share_memory, finds_every_shared_byte) {
  expect_every_shared_byte<float, float>();
  expect_every_shared_byte<float, double>();
  expect_every_shared_byte<Eigen::bfloat16, float>();
  expect_every_shared_byte<char, Eigen::half>();
}

TEST(require_distinct, refuses_elements_written_over_each_other) {
  alignas(8) static std::byte memory[8192];
  layouts some;
  int distinct = 0;
  for (int trial = 0; trial < 3000; ++trial) {
    const auto of = some.next<float>(memory);
    const std::string refusal = words_of<shape_error>([&] { require_distinct("output", of); });
    ASSERT_EQ(refusal.empty(), index_t(elements(of).size()) == of.size()) << trial << ": " << refusal;
    distinct += refusal.empty();
  }
  EXPECT_TRUE(300 < distinct && distinct < 2700) << distinct;
}

TEST(require_distinct, names_the_axis) {
  std::vector<float> memory(200);
  const auto words = [&](std::array<index_t, 4> extent, std::array<index_t, 4> stride) {
    return words_of<shape_error>([&] { require_distinct("output", view<float>{memory.data() + 100, extent, stride}); });
  };
  EXPECT_EQ(words({2, 2, 3, 4}, {-24, 12, -4, 1}), "");
  EXPECT_EQ(words({1, 1, 3, 4}, {0, 0, 4, 1}), "");
  EXPECT_EQ(words({2, 2, 0, 4}, {0, 0, 0, 0}), "");
  EXPECT_EQ(words({1, 1, 3, 4}, {0, 0, 3, 1}), "output writes elements over each other along tokens: extent 3 and stride 3");
  EXPECT_EQ(words({1, 1, 3, 4}, {0, 0, 4, 0}), "output writes elements over each other along channels: extent 4 and stride 0");
  EXPECT_EQ(words({2, 1, 3, 4}, {0, 0, 4, 1}), "output writes elements over each other along batch: extent 2 and stride 0");
  EXPECT_EQ(words({1, 2, 3, 4}, {0, 11, 4, 1}), "output writes elements over each other along heads: extent 2 and stride 11");
}

// Those of a part's gradient are not those of q: the part names them.
TEST(require_distinct, names_the_axis_as_it_is_told) {
  std::vector<float> memory(200);
  const auto words = [&](std::array<index_t, 4> extent, std::array<index_t, 4> stride) {
    const view<float> gradient{memory.data(), extent, stride}, of{memory.data() + 100, extent, {48, 24, 8, 1}};
    return words_of<shape_error>(
        [&] { require_gradient_of_part("d_bias", gradient, "bias", of, {"batch", "heads", "queries", "keys"}); });
  };
  EXPECT_EQ(words({1, 1, 3, 4}, {0, 0, 4, 1}), "");
  EXPECT_EQ(words({1, 1, 3, 4}, {0, 0, 3, 1}), "d_bias writes elements over each other along queries: extent 3 and stride 3");
  EXPECT_EQ(words({1, 1, 3, 4}, {0, 0, 4, 0}), "d_bias writes elements over each other along keys: extent 4 and stride 0");
  EXPECT_EQ(words({2, 1, 3, 4}, {0, 0, 4, 1}), "d_bias writes elements over each other along batch: extent 2 and stride 0");
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

// Slots of one buffer, token before batch or batch first: (token, batch, slot, head, channel), as a fused projection writes them.
struct packed {
  static constexpr index_t batch = 2, heads = 4, tokens = 50, channels = 16;
  index_t slots;
  bool batch_first;
  std::vector<float> memory = std::vector<float>(std::size_t(slots * batch * heads * tokens * channels), 7.f);

  view<float> slot(index_t number) {
    const index_t row = slots * heads * channels;
    return {memory.data() + number * heads * channels,
            {batch, heads, tokens, channels},
            {batch_first ? tokens * row : row, channels, batch_first ? row : batch * row, 1}};
  }
};

void copy_into(const view<float>& to, const tensor<float>& from) {
  for (index_t b = 0; b < to.extent[0]; ++b)
    for (index_t h = 0; h < to.extent[1]; ++h)
      for (index_t i = 0; i < to.extent[2]; ++i)
        for (index_t c = 0; c < to.extent[3]; ++c) to.head(b, h).row(i)[c] = from(b, h, i, c);
}

tensor<float> copy_of(const view<float>& from) {
  tensor<float> made(from.extent[0], from.extent[1], from.extent[2], from.extent[3]);
  for (index_t b = 0; b < from.extent[0]; ++b)
    for (index_t h = 0; h < from.extent[1]; ++h)
      for (index_t i = 0; i < from.extent[2]; ++i)
        for (index_t c = 0; c < from.extent[3]; ++c) made(b, h, i, c) = from.head(b, h).row(i)[c];
  return made;
}

TEST(aliasing, results_and_gradients_may_be_slots_of_packed_buffers) {
  for (const bool batch_first : {true, false}) {
    const auto in = random_inputs<float>(
        {.batch = 2, .heads = 4, .key_heads = 4, .queries = 50, .keys = 50, .channels = 16, .value_channels = 16});
    packed buffer{4, batch_first}, d_buffer{3, batch_first};
    copy_into(buffer.slot(0), in.q), copy_into(buffer.slot(1), in.k), copy_into(buffer.slot(2), in.v);
    const auto wanted = forward(mechanism, in.q, in.k, in.v);
    std::vector<float> sums(2 * 4 * 50);
    const view<float> log_sum_exp{sums.data(), {2, 4, 50, 1}, {200, 50, 1, 1}};
    forward_into(mechanism, buffer.slot(0), buffer.slot(1), buffer.slot(2), buffer.slot(3), log_sum_exp);
    EXPECT_TRUE(same_bits(copy_of(buffer.slot(3)), wanted.output));
    EXPECT_TRUE(same_bits(copy_of(buffer.slot(0)), in.q));

    const auto d_output = normal<float>(2, 4, 50, 16, 9);
    const auto gradient = backward(mechanism, in.q, in.k, in.v, wanted, d_output);
    backward_into(mechanism, buffer.slot(0), buffer.slot(1), buffer.slot(2), attended{buffer.slot(3), log_sum_exp}, d_output,
                  d_buffer.slot(0), d_buffer.slot(1), d_buffer.slot(2));
    EXPECT_TRUE(same_bits(copy_of(d_buffer.slot(0)), gradient.d_query));
    EXPECT_TRUE(same_bits(copy_of(d_buffer.slot(1)), gradient.d_key));
    EXPECT_TRUE(same_bits(copy_of(d_buffer.slot(2)), gradient.d_value));
  }
}

TEST(aliasing, slots_that_share_an_element_are_refused) {
  packed buffer{4, false};
  const auto words = [&](const view<float>& output) {
    return words_of<shape_error>([&] { forward_into(mechanism, buffer.slot(0), buffer.slot(1), buffer.slot(2), output); });
  };
  auto output = buffer.slot(3);
  output.data -= 1;
  EXPECT_EQ(words(output), "output shares memory with value: attention cannot be computed in place");
  output = buffer.slot(3), output.stride[1] = 0;
  EXPECT_EQ(words(output), "output writes elements over each other along heads: extent 4 and stride 0");
  output = buffer.slot(3), output.data = buffer.slot(0).data + 15, output.stride[3] = -1;
  EXPECT_EQ(words(output), "output shares memory with query: attention cannot be computed in place");
  EXPECT_TRUE(std::ranges::all_of(buffer.memory, [](float x) { return x == 7; }));
}

}  // namespace

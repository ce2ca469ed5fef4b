// What a call allocates: every allocation of the program is counted. Inlined, the operators look mismatched to g++.
#include <atomic>
#include <cstdlib>
#include <new>

#include <gtest/gtest.h>

#include <longspan/longspan.hpp>

#include "support/tensors.hpp"

namespace {

std::atomic<long> allocations = 0;

void* counted(std::size_t bytes, std::size_t alignment) {
  ++allocations;
  void* const memory = std::aligned_alloc(alignment, (bytes + alignment - 1) / alignment * alignment);
  if (memory == nullptr) throw std::bad_alloc();
  return memory;
}

}  // namespace

[[gnu::noinline]] void* operator new(std::size_t bytes) { return counted(bytes, alignof(std::max_align_t)); }
[[gnu::noinline]] void* operator new(std::size_t bytes, std::align_val_t alignment) {
  return counted(bytes, std::size_t(alignment));
}
[[gnu::noinline]] void* operator new(std::size_t bytes, const std::nothrow_t&) noexcept {
  ++allocations;
  return std::malloc(bytes);
}
[[gnu::noinline]] void operator delete(void* memory) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete(void* memory, std::align_val_t) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete(void* memory, std::size_t, std::align_val_t) noexcept { std::free(memory); }

namespace {

using namespace testing_support;
using namespace longspan;

template <class Mechanism>
long allocations_of_the_third_call(const Mechanism& mechanism, const lengths& of) {
  const auto in = random_inputs<float>(of);
  tensor<float> output(of.batch, of.heads, of.queries, of.value_channels);
  long before = 0;
  for (int call = 0; call < 3; ++call) {
    before = allocations;
    forward_into(mechanism, in.q, in.k, in.v, output);
  }
  return allocations - before;
}

// As engines lay caches out: the heads of a token side by side.
TEST(memory, steady_decoding_of_heads_side_by_side_allocates_nothing) {
  const index_t keys = 3000, heads = 8, channels = 32;
  const tensor<float> numbers = normal<float>(1, keys, heads, channels, 1);
  const view<const float> tokens{numbers.data(), {1, heads, keys, channels}, {0, channels, heads * channels, 1}};
  const tensor<float> q = normal<float>(1, heads, 1, channels, 2);
  tensor<float> output(1, heads, 1, channels);
  long before = 0;
  for (int call = 0; call < 3; ++call) {
    before = allocations;
    forward_into(dot_product{} | causal{}, q, tokens, tokens, output);
  }
  EXPECT_EQ(allocations - before, 0);
}

TEST(memory, steady_decoding_allocates_nothing) {
  for (const index_t keys : {1, 700, 3000})
    for (const index_t heads : {2, 40}) {
      const lengths one_query{.heads = heads, .key_heads = 2, .queries = 1, .keys = keys, .channels = 32, .value_channels = 20};
      EXPECT_EQ(allocations_of_the_third_call(dot_product{} | causal{}, one_query), 0);
      EXPECT_EQ(allocations_of_the_third_call(dot_product{} | alibi{} | softcap{30} | causal{} | sink{1}, one_query), 0);
      EXPECT_EQ(allocations_of_the_third_call(
                    cosine{} | cos_scale{16} | info_scale{.trained = 64} | sinks_and_window{.window = 900}, one_query),
                0);
      Eigen::Tensor<bool, 2, Eigen::RowMajor> seen(1, keys);
      for (index_t j = 0; j < keys; ++j) seen(0, j) = j % 3 != 1;
      EXPECT_EQ(allocations_of_the_third_call(dot_product{} | boolean_mask{seen}, one_query), 0);
    }
}

// A cache that grows by a token a call, over several tiles: only where a power of two is passed is anything asked for.
TEST(memory, decoding_a_growing_cache_allocates_hardly_ever) {
  const auto in =
      random_inputs<float>({.heads = 4, .key_heads = 2, .queries = 1, .keys = 3000, .channels = 32, .value_channels = 32});
  tensor<float> output(1, 4, 1, 32);
  const long before = allocations;
  for (index_t keys = 1; keys <= 3000; ++keys) {
    const auto part = [&](const tensor<float>& t) {
      return view<const float>{t.data(), {1, 2, keys, 32}, {2 * 3000 * 32, 3000 * 32, 32, 1}};
    };
    forward_into(dot_product{} | causal{}, in.q, part(in.k), part(in.v), output);
  }
  EXPECT_LT(allocations - before, 40);
}

}  // namespace

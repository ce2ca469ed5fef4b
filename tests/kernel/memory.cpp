// What a call allocates: every allocation of the program is counted. Inlined, the operators look mismatched to g++.
#include <atomic>
#include <cstdlib>
#include <new>
#include <thread>

#include <gtest/gtest.h>

#include <longspan/longspan.hpp>

#include "support/tensors.hpp"

namespace {

std::atomic<long> allocations = 0, left = -1;  // how many more succeed; any number where it is negative

void* counted(std::size_t bytes, std::size_t alignment) {
  ++allocations;
  if (left == 0) throw std::bad_alloc();
  if (left > 0) --left;
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

// Where the tables of the sentence were made before.
TEST(memory, steady_decoding_by_a_prepared_sentence_allocates_nothing) {
  const lengths one_query{.heads = 8, .key_heads = 2, .queries = 1, .keys = 700, .channels = 32, .value_channels = 32};
  const shapes longest{.keys = 4096, .channels = 32};
  const auto far = [](index_t t) { return -0.01 * double(t); };
  EXPECT_EQ(allocations_of_the_third_call(prepare(rope{} | dot_product{} | scale_invariant{} | causal{}, longest), one_query), 0);
  EXPECT_EQ(
      allocations_of_the_third_call(
          prepare(p_rope{} | dot_product{} | by_distance{far} | sliding_window{300} | sink{{1, 2, 3, 4, 5, 6, 7, 8}}, longest),
          one_query),
      0);
  const auto near = rope{} | dot_product{} | log_n{.trained = 64} | sliding_window{99};
  const auto rest = rope{} | dot_product{} | log_n{.trained = 64} | at_least{100};
  EXPECT_EQ(allocations_of_the_third_call(prepare(near + rest, longest), one_query), 0);
}

// A cache that grows by a token a call, over several tiles: only where a power of two is passed is anything asked for.
TEST(memory, decoding_a_growing_cache_allocates_hardly_ever) {
  const auto in =
      random_inputs<float>({.heads = 2, .key_heads = 2, .queries = 1, .keys = 1100, .channels = 8, .value_channels = 8});
  tensor<float> output(1, 2, 1, 8);
  const long before = allocations;
  for (index_t keys = 1; keys <= 1100; ++keys) {
    const auto part = [&](const tensor<float>& t) {
      return view<const float>{t.data(), {1, 2, keys, 8}, {2 * 1100 * 8, 1100 * 8, 8, 1}};
    };
    forward_into(dot_product{} | causal{}, in.q, part(in.k), part(in.v), output);
  }
  EXPECT_LT(allocations - before, 60);
}

// A cache that cannot get the memory for more tokens holds those that it held, whichever allocation fails.
TEST(memory, running_out_of_it_leaves_a_cache_as_it_was) {
  const auto in =
      random_inputs<float>({.heads = 4, .key_heads = 2, .queries = 300, .keys = 300, .channels = 32, .value_channels = 20});
  const auto mechanism = rope{} | dot_product{} | causal{};
  kv_cache<float> cache(mechanism, {.key_heads = 2, .channels = 32, .value_channels = 20});
  cache.append(in.k, in.v);
  const auto shared = cache;
  const auto before = forward(mechanism, in.q, cache).output;
  long needed = 0;
  for (bool done = false; !done; ++needed) {
    left = needed;
    try {
      cache.append(in.k, in.v);
      done = true;
    } catch (const std::bad_alloc&) {
    }
    left = -1;
    if (!done) {
      ASSERT_EQ(cache.length(), 300);
      ASSERT_TRUE(same_bits(forward(mechanism, in.q, cache).output, before)) << needed;
    }
  }
  EXPECT_GT(needed, 3);  // pages, and a copy of the shared one
  EXPECT_EQ(cache.length(), 600);
  EXPECT_TRUE(same_bits(forward(mechanism, in.q, shared).output, before));
}

// Whichever allocation of a call fails, the call says so or has made all of its results, and nothing of it is left to the next. Each try
// has a thread of its own, which keeps no memory of calls before.
template <class Call, class Holds>
void for_each_failing_allocation(Call call, Holds holds) {
  bool done = false;
  long needed = 0;
  for (; !done && needed < 10000; ++needed)
    std::jthread([&] {
      left = needed;
      try {
        call();
        done = true;
      } catch (const std::bad_alloc&) {
      }
      left = -1;
      if (done) {
        EXPECT_TRUE(holds()) << needed;
      }
    }).join();
  EXPECT_TRUE(done);
  EXPECT_GT(needed, 3);
}

// Over tensors, forward and backward, on the calling thread and on a pool, which then helps less.
TEST(memory, running_out_of_it_is_never_half_a_result) {
  const auto in =
      random_inputs<float>({.heads = 4, .key_heads = 2, .queries = 150, .keys = 150, .channels = 32, .value_channels = 20});
  const tensor<float> bias_of_heads = normal<float>(1, 4, 1, 150, 9);
  tensor<float> d_bias(bias_of_heads);
  const auto mechanism = rope{} | dot_product{} | scale_invariant{} | bias{bias_of_heads, d_bias} | causal{};
  const auto wanted = forward(mechanism, in.q, in.k, in.v);
  const auto d_wanted = backward(mechanism, in.q, in.k, in.v, wanted, wanted.output);
  const auto d_bias_wanted = d_bias;
  auto got = wanted;
  auto d_got = d_wanted;
  const auto try_on = [&](const auto& device) {
    for_each_failing_allocation([&] { forward_into(device, mechanism, in.q, in.k, in.v, got.output, got.log_sum_exp); },
                                [&] { return same_bits(got.output, wanted.output); });
    for_each_failing_allocation(
        [&] {
          backward_into(device, mechanism, in.q, in.k, in.v, wanted, wanted.output, d_got.d_query, d_got.d_key, d_got.d_value);
        },
        [&] { return same_bits(d_got.d_key, d_wanted.d_key) && same_bits(d_bias, d_bias_wanted); });
  };
  try_on(Eigen::DefaultDevice{});
  Eigen::ThreadPool pool(3);
  try_on(Eigen::ThreadPoolDevice(&pool, 3));
}

// Over a cache, whose tables grow with a call, and over masks that are packed to bits.
TEST(memory, running_out_of_it_is_never_half_a_result_of_a_cache) {
  const auto in =
      random_inputs<float>({.heads = 4, .key_heads = 2, .queries = 150, .keys = 150, .channels = 32, .value_channels = 20});
  Eigen::Tensor<bool, 2, Eigen::RowMajor> seen(150, 150);
  for (index_t i = 0; i < seen.size(); ++i) seen.data()[i] = i % 7 != 3;
  const auto mechanism = rope{} | dot_product{} | scale_invariant{} | boolean_mask{seen} | causal{};
  kv_cache<float> cache(mechanism, {.key_heads = 2, .channels = 32, .value_channels = 20});
  cache.append(in.k, in.v);
  const auto wanted = forward(mechanism, in.q, in.k, in.v).output;
  tensor<float> got(wanted);
  for_each_failing_allocation([&] { got.setZero(), forward_into(mechanism, in.q, kv_cache<float>(cache), got); },
                              [&] { return same_bits(got, wanted); });
  for_each_failing_allocation([&] { got.setZero(), forward_into(mechanism, in.q, cache, got); },
                              [&] { return same_bits(got, wanted); });
}

// A page a 128 tokens, and what turns the next 64.
TEST(memory, decoding_from_a_cache_allocates_hardly_ever) {
  const auto in = random_inputs<float>({.heads = 2, .key_heads = 2, .queries = 1, .keys = 1, .channels = 8, .value_channels = 8});
  const auto mechanism = rope{} | dot_product{} | softcap{30} | causal{};
  kv_cache<float> cache(mechanism, {.key_heads = 2, .channels = 8, .value_channels = 8});
  tensor<float> output(1, 2, 1, 8);
  long before = 0;
  for (index_t token = 0; token < 1000; ++token) {
    if (token == 200) before = allocations;
    cache.append(in.k, in.v);
    forward_into(mechanism, in.q, cache, output);
  }
  EXPECT_LT(allocations - before, 60);
}

// Room for a text, or for a window over a text without end: between two powers of two, nothing but a table by distance and a list of pages
// grows, each by half of itself or more.
TEST(memory, a_cache_with_room_allocates_nothing) {
  const auto in = random_inputs<float>({.heads = 2, .key_heads = 2, .queries = 1, .keys = 1, .channels = 8, .value_channels = 8});
  tensor<float> output(1, 2, 1, 8);
  const auto allocations_of = [&](const auto& mechanism, index_t room, interval tokens) {
    kv_cache<float> cache(mechanism, {.key_heads = 2, .channels = 8, .value_channels = 8});
    cache.reserve(room);
    long before = 0;
    for (index_t token = 0; token < tokens.last; ++token) {
      if (token == tokens.first) before = allocations;
      cache.append(in.k, in.v);
      forward_into(mechanism, in.q, cache, output);
    }
    return allocations - before;
  };
  EXPECT_EQ(allocations_of(rope{} | dot_product{} | softcap{30} | causal{}, 1000, {550, 1000}), 0);
  EXPECT_LT(allocations_of(rope{} | dot_product{} | scale_invariant{} | causal{}, 1000, {550, 1000}), 4);
  EXPECT_LT(allocations_of(rope{} | dot_product{} | sinks_and_window{.sinks = 4, .window = 64}, 400, {2100, 4000}), 4);
}

}  // namespace

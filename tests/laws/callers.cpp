// Several threads call at once, from inside a pool and from outside, with one sentence and copies of one cache: each has the bits that it
// has alone. Made for the thread sanitizer, too.
#include <atomic>
#include <functional>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include <longspan/longspan.hpp>

#include "support/tensors.hpp"

namespace {

using namespace testing_support;
using namespace longspan;

struct callers : testing::Test {
  static constexpr index_t tokens = 200;
  const inputs<float> in =
      random_inputs<float>({.heads = 4, .key_heads = 2, .queries = tokens, .keys = tokens, .channels = 16, .value_channels = 12});
  Eigen::Tensor<bool, 2, Eigen::RowMajor> seen{tokens, tokens};
  Eigen::ThreadPool pool{2};
  const Eigen::ThreadPoolDevice device{&pool, 2};

  callers() {
    for (index_t i = 0; i < seen.size(); ++i) seen.data()[i] = i % 5 != 3;
  }

  // work(caller), a few times over, on threads of their own and, as far as there are free ones, on those of the pool.
  void call_at_once(const std::function<bool(int)>& work) {
    std::atomic<int> right = 0;
    const auto often = [&](int caller) {
      for (int n = 0; n < 3; ++n) right += work(caller);
    };
    Eigen::Barrier done(2);
    for (const int inside : {3, 4})
      pool.Schedule([&, inside] {
        often(inside);
        done.Notify();
      });
    {
      std::vector<std::jthread> threads;
      for (const int outside : {0, 1, 2}) threads.emplace_back([&, outside] { often(outside); });
    }
    done.Wait();
    EXPECT_EQ(right, 15);
  }
};

TEST_F(callers, share_a_sentence_and_a_pool) {
  const auto mechanism =
      prepare(rope{} | dot_product{} | scale_invariant{} | boolean_mask{seen} | causal{}, {.keys = tokens, .channels = 16});
  const auto wanted = forward(mechanism, in.q, in.k, in.v);
  const auto d_wanted = backward(mechanism, in.q, in.k, in.v, wanted, wanted.output);
  call_at_once([&](int) {
    const auto got = forward(device, mechanism, in.q, in.k, in.v);
    const auto d_got = backward(device, mechanism, in.q, in.k, in.v, got, got.output);
    return same_bits(got.output, wanted.output) && same_bits(d_got.d_query, d_wanted.d_query) &&
           same_bits(d_got.d_key, d_wanted.d_key) && same_bits(d_got.d_value, d_wanted.d_value);
  });
}

// Each continues its own copy, of a length that ends in a page that all share.
TEST_F(callers, continue_copies_of_one_cache) {
  const auto mechanism = rope{} | dot_product{} | scale_invariant{} | boolean_mask{seen} | causal{};
  const auto wanted = forward(mechanism, in.q, in.k, in.v).output;
  const auto part = [](const tensor<float>& of, index_t first) {
    return longspan::detail::view_of(of).tokens_of(0, {first, first == 0 ? 150 : tokens});
  };
  kv_cache<float> prompt(mechanism, {.key_heads = 2, .channels = 16, .value_channels = 12});
  prompt.append(part(in.k, 0), part(in.v, 0));
  std::vector<kv_cache<float>> copies(5, prompt);
  call_at_once([&](int caller) {
    auto& own = copies[std::size_t(caller)];
    own.append(device, part(in.k, 150), part(in.v, 150));
    const tensor<float> output = forward(device, mechanism, in.q, own).output;
    own.truncate(150);
    return same_bits(output, wanted);
  });
}

}  // namespace

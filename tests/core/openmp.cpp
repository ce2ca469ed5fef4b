// A device of one's own: the threads of OpenMP, forward and backward with the bits of one thread.
#include <omp.h>

#include <gtest/gtest.h>

#include <stdexcept>

#include <longspan/longspan.hpp>

#include "support/tensors.hpp"

namespace {

using namespace testing_support;
using namespace longspan;

struct openmp {
  index_t threads() const { return omp_get_max_threads(); }
  void run(index_t count, const auto& work) const {
#pragma omp parallel for num_threads(int(count)) schedule(static, 1)
    for (index_t n = 0; n < count; ++n) work(n);
  }
};
static_assert(device<openmp>);

const auto mechanism = rope{} | dot_product{} | scale_invariant{} | softcap{20} | causal{};

TEST(openmp, makes_the_bits_of_one_thread) {
  const auto in = random_inputs<float>(
      {.batch = 2, .heads = 4, .key_heads = 2, .queries = 333, .keys = 333, .channels = 24, .value_channels = 20});
  const auto d_output = normal<float>(2, 4, 333, 20, 4);
  const auto alone = forward(mechanism, in.q, in.k, in.v);
  const auto gradients_alone = backward(mechanism, in.q, in.k, in.v, alone, d_output);
  for (const int threads : {1, 2, 5}) {
    omp_set_num_threads(threads);
    const auto together = forward(openmp{}, mechanism, in.q, in.k, in.v);
    EXPECT_TRUE(same_bits(alone.output, together.output)) << threads;
    EXPECT_TRUE(same_bits(alone.log_sum_exp, together.log_sum_exp)) << threads;
    const auto gradients = backward(openmp{}, mechanism, in.q, in.k, in.v, alone, d_output);
    EXPECT_TRUE(same_bits(gradients_alone.d_query, gradients.d_query)) << threads;
    EXPECT_TRUE(same_bits(gradients_alone.d_key, gradients.d_key)) << threads;
    EXPECT_TRUE(same_bits(gradients_alone.d_value, gradients.d_value)) << threads;
  }
}

// A program may share its own loop among the same threads.
TEST(openmp, may_call_from_within_its_own_threads) {
  omp_set_num_threads(3);
  const auto in = random_inputs<float>({.heads = 4, .key_heads = 2, .queries = 90, .keys = 90, .channels = 16});
  const auto alone = forward(mechanism, in.q, in.k, in.v);
  bool same[6];
#pragma omp parallel for
  for (int call = 0; call < 6; ++call)
    same[call] = same_bits(alone.output, forward(openmp{}, mechanism, in.q, in.k, in.v).output);
  for (const bool each : same) EXPECT_TRUE(each);
}

// No exception leaves a thread of OpenMP's, which would end the program: the caller gets it.
struct unlucky {
  auto operator()(const query_row& row) const {
    if (row.position == 57) throw std::runtime_error("row 57");
    return [](auto logit, const auto&) { return logit; };
  }
};

TEST(openmp, hands_on_what_a_part_throws) {
  omp_set_num_threads(3);
  const auto in = random_inputs<float>({.heads = 4, .key_heads = 2, .queries = 90, .keys = 90, .channels = 16});
  EXPECT_THROW(forward(openmp{}, dot_product{} | unlucky{} | causal{}, in.q, in.k, in.v), std::runtime_error);
}

}  // namespace

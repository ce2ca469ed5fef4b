// The doors: overloads, storage types, and errors before anything is written.
#include <gtest/gtest.h>

#include "support/greedy.hpp"
#include "support/mechanisms.hpp"
#include "support/tensors.hpp"

namespace {

using namespace testing_support;
using namespace longspan;
using namespace longspan::detail;

const auto mechanism = rope{} | dot_product{} | causal{};

TEST(forward, every_overload_computes_the_same) {
  const auto in = random_inputs<float>({.heads = 2, .key_heads = 1, .queries = 20, .keys = 20});
  const auto wanted = forward(mechanism, in.q, in.k, in.v);
  tensor<float> output(1, 2, 20, 8);
  Eigen::Tensor<float, 3, Eigen::RowMajor> log_sum_exp(1, 2, 20);
  const auto expect = [&](bool with_log_sum_exp) {
    EXPECT_TRUE(same_bits(output, wanted.output));
    EXPECT_TRUE(!with_log_sum_exp || same_bits(log_sum_exp, wanted.log_sum_exp));
    output.setZero(), log_sum_exp.setZero();
  };
  Eigen::ThreadPool pool(2);
  const Eigen::ThreadPoolDevice device(&pool, 2);
  const placement where{.first_query = 0};
  forward_into(mechanism, in.q, in.k, in.v, output), expect(false);
  forward_into(mechanism, in.q, in.k, in.v, output, where), expect(false);
  forward_into(mechanism, in.q, in.k, in.v, output, placement{.first_query = 0}), expect(false);
  forward_into(mechanism, in.q, in.k, in.v, output, log_sum_exp), expect(true);
  forward_into(mechanism, in.q, in.k, in.v, output, log_sum_exp, where), expect(true);
  forward_into(Eigen::DefaultDevice{}, mechanism, in.q, in.k, in.v, output, log_sum_exp), expect(true);
  forward_into(device, mechanism, in.q, in.k, in.v, output), expect(false);
  forward_into(device, mechanism, in.q, in.k, in.v, output, log_sum_exp, where), expect(true);
  Eigen::TensorMap<tensor<float>> mapped(output.data(), output.dimensions());
  forward_into(mechanism, in.q, in.k, in.v, mapped, log_sum_exp), expect(true);
}

// A sentinel stays where a call is refused.
template <class Exception, class Mechanism>
std::string refusal(const Mechanism& refused, const tensor<float>& q, const tensor<float>& k, const tensor<float>& v,
                    tensor<float>& output) {
  Eigen::Tensor<float, 3, Eigen::RowMajor> log_sum_exp(q.dimension(0), q.dimension(1), q.dimension(2));
  output.setConstant(42), log_sum_exp.setConstant(42);
  std::string words;
  try {
    forward_into(refused, q, k, v, output, log_sum_exp);
  } catch (const Exception& error) {
    words = error.what();
  }
  for (Eigen::Index i = 0; i < output.size(); ++i) EXPECT_EQ(output.data()[i], 42);
  for (Eigen::Index i = 0; i < log_sum_exp.size(); ++i) EXPECT_EQ(log_sum_exp.data()[i], 42);
  return words;
}

TEST(forward, names_the_axis_and_both_numbers) {
  const auto t = [](index_t b, index_t h, index_t n, index_t d) { return normal<float>(b, h, n, d, 1); };
  tensor<float> output(1, 6, 5, 8), short_output(1, 6, 4, 8);
  const auto words = [&](const auto& q, const auto& k, const auto& v, tensor<float>& o) {
    return refusal<shape_error>(mechanism, q, k, v, o);
  };
  EXPECT_EQ(words(t(1, 6, 5, 8), t(1, 2, 30, 8), t(1, 2, 29, 8), output), "key and value differ in tokens: 30 and 29");
  EXPECT_EQ(words(t(1, 6, 5, 8), t(1, 2, 30, 6), t(1, 2, 30, 8), output), "query and key differ in channels: 8 and 6");
  EXPECT_EQ(words(t(1, 6, 5, 8), t(2, 2, 30, 8), t(2, 2, 30, 8), output), "query and key differ in batch: 1 and 2");
  EXPECT_EQ(words(t(1, 6, 5, 8), t(1, 2, 30, 8), t(1, 3, 30, 8), output), "key and value differ in heads: 2 and 3");
  EXPECT_EQ(words(t(1, 6, 5, 8), t(1, 4, 30, 8), t(1, 4, 30, 8), output), "query heads must be a multiple of key heads: 6 and 4");
  EXPECT_EQ(words(t(1, 6, 5, 8), t(1, 2, 30, 8), t(1, 2, 30, 8), short_output), "output and query differ in tokens: 4 and 5");
  EXPECT_EQ(words(t(1, 6, 5, 8), t(1, 2, 30, 8), t(1, 2, 30, 7), output), "output and value differ in channels: 8 and 7");
  EXPECT_EQ(words(t(1, 6, 5, 0), t(1, 2, 30, 0), t(1, 2, 30, 8), output), "query and key have no channels");
  EXPECT_EQ(words(t(1, 6, 5, 7), t(1, 2, 30, 7), t(1, 2, 30, 8), output),
            "rope rotates pairs of channels, so their number must be even, not 7");
}

TEST(forward, names_the_parameter_out_of_range) {
  const auto in = random_inputs<float>({.heads = 2, .key_heads = 1, .queries = 5, .keys = 9});
  tensor<float> output(1, 2, 5, 8);
  const auto words = [&](const auto& refused) { return refusal<std::invalid_argument>(refused, in.q, in.k, in.v, output); };
  EXPECT_EQ(words(dot_product{} | scale_invariant{.tau = 0} | causal{}),
            "scale_invariant: tau must be positive and finite, not 0");
  EXPECT_EQ(words(dot_product{} | softcap{-1} | causal{}), "softcap: cap must be positive and finite, not -1");
  EXPECT_EQ(words(dot_product{} | info_scale{.trained = 1} | causal{}),
            "info_scale: trained must be a length of at least 2, not 1");
  EXPECT_EQ(words(dot_product{} | sliding_window{-1}), "sliding_window: before must be at least 0, not -1");
  EXPECT_EQ(words(p_rope{.fraction = 1.5} | dot_product{} | causal{}), "p_rope: fraction must be in [0, 1], not 1.5");
  EXPECT_EQ(words(dot_product{} | causal{} | sink{{1, 2, 3}}),
            "sink: logit must be one number or one for each head: 3 numbers and 2 heads");
}

TEST(forward, refuses_to_write_on_what_it_reads) {
  auto in = random_inputs<float>({.queries = 9, .keys = 9});
  EXPECT_THROW(forward_into(mechanism, in.q, in.k, in.v, in.q), shape_error);
  EXPECT_THROW(forward_into(mechanism, in.q, in.k, in.v, in.v), shape_error);
  const view<float> folded{in.q.data(), {1, 1, 9, 8}, {0, 0, 4, 1}};
  EXPECT_THROW(forward_into(mechanism, in.k, in.k, in.v, folded), shape_error);
}

// What a part throws on a thread of the pool arrives at the caller.
struct thrower {
  auto operator()(const query_row& row) const {
    if (row.position == 3) throw std::runtime_error("a part's own error");
    return [](auto logit, const auto&) { return logit; };
  }
};

TEST(forward, hands_on_what_a_part_throws) {
  const auto in = random_inputs<float>({.heads = 4, .key_heads = 4, .queries = 100, .keys = 100});
  Eigen::ThreadPool pool(2);
  EXPECT_THROW(forward(dot_product{} | thrower{} | causal{}, in.q, in.k, in.v), std::runtime_error);
  EXPECT_THROW(forward(Eigen::ThreadPoolDevice(&pool, 2), dot_product{} | thrower{} | causal{}, in.q, in.k, in.v),
               std::runtime_error);
}

// An engine may call from a thread of the pool it hands over: the calling thread does the work if no other comes.
TEST(forward, can_be_called_from_within_the_pool) {
  const auto in = random_inputs<float>({.heads = 4, .key_heads = 4, .queries = 100, .keys = 100});
  Eigen::ThreadPool pool(1);
  const Eigen::ThreadPoolDevice wider(&pool, 3);
  tensor<float> output(1, 4, 100, 8);
  Eigen::Barrier done(1);
  pool.Schedule([&] {
    forward_into(wider, mechanism, in.q, in.k, in.v, output);
    done.Notify();
  });
  done.Wait();
  EXPECT_TRUE(same_bits(output, forward(mechanism, in.q, in.k, in.v).output));
}

// Parts, sets of keys, devices and tensors bring their namespace with them: see support/greedy.hpp.
TEST(forward, calls_no_function_of_a_user_s_namespace) {
  for (const index_t queries : {1, 60}) {
    const auto q = greedy::tensor<float>::some(2, queries, 8, 1), k = greedy::tensor<float>::some(1, 70, 8, 2),
               v = greedy::tensor<float>::some(1, 70, 8, 3);
    const auto sentence = greedy::sentence();
    const auto wanted = longspan::forward(sentence, q, k, v);
    const auto made = longspan::forward(greedy::device{}, sentence, q, k, v);
    EXPECT_EQ(made.output.memory, wanted.output.memory);
    greedy::tensor<float> output{2, queries, 8}, log_sum_exp{2, queries, 1};
    longspan::forward_into(greedy::device{}, sentence, q, k, v, output, log_sum_exp);
    EXPECT_TRUE(output.memory == wanted.output.memory && log_sum_exp.memory == wanted.log_sum_exp.memory);
    longspan::forward_into(sentence, q, k, v, output);
    EXPECT_EQ(output.memory, wanted.output.memory);
    const auto whole =
        longspan::merge(wanted, longspan::forward(sentence, q, greedy::tensor<float>{1, 0, 8}, greedy::tensor<float>{1, 0, 8},
                                                  {.first_query = 70 - queries, .first_key = 70}));
    EXPECT_EQ(whole.output.memory, wanted.output.memory);
    const auto exact = reference::attention(sentence, q, k, v);
    for (std::size_t n = 0; n < exact.output.memory.size(); ++n) EXPECT_NEAR(output.memory[n], exact.output.memory[n], 2e-5);
  }
}

}  // namespace

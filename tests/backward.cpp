#include <longspan/backward.hpp>

#include <stdexcept>

#include <gtest/gtest.h>

#include <longspan/longspan.hpp>
#include <longspan/mechanism/get.hpp>
#include <longspan/mechanism/parameters.hpp>

#include "support/greedy.hpp"
#include "support/tensors.hpp"
#include "support/words.hpp"

namespace {

using namespace testing_support;
using namespace longspan;
using namespace longspan::detail;

const auto mechanism = rope{} | dot_product{} | temperature{1.5} | causal{};
using sums = Eigen::Tensor<float, 3, Eigen::RowMajor>;

TEST(backward, every_overload_computes_the_same) {
  const auto in = random_inputs<float>({.heads = 2, .key_heads = 1, .queries = 20, .keys = 20});
  const auto kept = forward(mechanism, in.q, in.k, in.v);
  const auto d_output = normal<float>(1, 2, 20, 8, 9);
  const auto wanted = backward(mechanism, in.q, in.k, in.v, kept, d_output);
  tensor<float> d_q(in.q.dimensions()), d_k(in.k.dimensions()), d_v(in.v.dimensions());
  const auto expect = [&] {
    EXPECT_TRUE(same_bits(d_q, wanted.d_query) && same_bits(d_k, wanted.d_key) && same_bits(d_v, wanted.d_value));
    d_q.setConstant(7), d_k.setConstant(7), d_v.setConstant(7);
  };
  Eigen::ThreadPool pool(2);
  const Eigen::ThreadPoolDevice device(&pool, 2);
  const placement where{.first_query = 0};
  auto d_mechanism = mechanism;
  backward_into(mechanism, in.q, in.k, in.v, kept, d_output, d_q, d_k, d_v), expect();
  backward_into(mechanism, in.q, in.k, in.v, kept, d_output, d_q, d_k, d_v, where), expect();
  backward_into(device, mechanism, in.q, in.k, in.v, kept, d_output, d_q, d_k, d_v), expect();
  backward_with_parameters_into(mechanism, in.q, in.k, in.v, kept, d_output, d_q, d_k, d_v, d_mechanism), expect();
  backward_with_parameters_into(device, mechanism, in.q, in.k, in.v, kept, d_output, d_q, d_k, d_v, d_mechanism, where), expect();
  const sums zero = 0.f * kept.log_sum_exp;
  backward_into(mechanism, in.q, in.k, in.v, kept, attended{d_output, zero}, d_q, d_k, d_v), expect();
  Eigen::TensorMap<tensor<float>> mapped(d_q.data(), d_q.dimensions());
  backward_into(mechanism, in.q, in.k, in.v, kept, d_output, mapped, view_of(d_k), d_v), expect();
  const auto returned = backward_with_parameters(device, mechanism, in.q, in.k, in.v, kept, d_output, where);
  EXPECT_TRUE(same_bits(returned.d_key, wanted.d_key));
  EXPECT_EQ(std::get<temperature>(returned.d_mechanism.parts).factor, std::get<temperature>(d_mechanism.parts).factor);
}

// A matrix is a head, its gradient a matrix of the same order; strided memory is written where it lies.
TEST(backward, answers_in_kind) {
  const Eigen::MatrixXd q = Eigen::MatrixXd::Random(8, 30), k = Eigen::MatrixXd::Random(8, 30),
                        v = Eigen::MatrixXd::Random(5, 30);
  const Eigen::MatrixXd d_output = Eigen::MatrixXd::Random(5, 30);
  const auto [d_q, d_k, d_v] = backward(mechanism, q, k, v, forward(mechanism, q, k, v), d_output);
  EXPECT_EQ(d_q.rows(), 8);
  EXPECT_EQ(d_v.rows(), 5);
  using rows = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
  const rows q_rows = q.transpose(), k_rows = k.transpose(), v_rows = v.transpose(), d_rows = d_output.transpose();
  const auto by_rows = backward(mechanism, q_rows, k_rows, v_rows, forward(mechanism, q_rows, k_rows, v_rows), d_rows);
  EXPECT_TRUE(by_rows.d_query.transpose() == d_q && by_rows.d_key.transpose() == d_k && by_rows.d_value.transpose() == d_v);
  std::vector<double> memory(30 * 20, 42);
  const auto strided = [&](index_t at, index_t channels) {
    return view<double>{memory.data() + at, {1, 1, 30, channels}, {0, 0, 20, 1}};
  };
  backward_into(mechanism, q, k, v, forward(mechanism, q, k, v), d_output, strided(0, 8), Eigen::MatrixXd(8, 30), strided(8, 5));
  for (std::size_t i = 0; i < 30; ++i) {
    EXPECT_EQ(memory[20 * i + 3], d_q(3, Eigen::Index(i)));
    EXPECT_EQ(memory[20 * i + 8 + 4], d_v(4, Eigen::Index(i)));
    EXPECT_EQ(memory[20 * i + 13], 42);
  }
}

TEST(backward, of_nothing_is_nothing) {
  for (const auto& of :
       {lengths{.batch = 0}, lengths{.queries = 0}, lengths{.queries = 3, .keys = 0}, lengths{.heads = 0, .key_heads = 0}}) {
    const auto in = random_inputs<float>(of);
    const auto kept = forward(dot_product{} | temperature{2} | everything{} | sink{0.5}, in.q, in.k, in.v);
    const auto got =
        backward_with_parameters(dot_product{} | temperature{2} | everything{} | sink{0.5}, in.q, in.k, in.v, kept, kept.output);
    for (Eigen::Index i = 0; i < got.d_query.size(); ++i) EXPECT_EQ(got.d_query.data()[i], 0);
    for (Eigen::Index i = 0; i < got.d_key.size(); ++i) EXPECT_EQ(got.d_key.data()[i], 0);
    EXPECT_EQ(std::get<temperature>(got.d_mechanism.parts).factor, 0);
  }
}

TEST(backward, names_what_does_not_fit_and_writes_nothing) {
  const auto in = random_inputs<float>({.heads = 2, .key_heads = 1, .queries = 20, .keys = 20});
  const auto kept = forward(mechanism, in.q, in.k, in.v);
  const auto d_output = normal<float>(1, 2, 20, 8, 9);
  const auto words = [&](const auto& whole, const auto& keeps, const auto& comes, tensor<float> d_q, tensor<float> d_k) {
    d_q.setConstant(42), d_k.setConstant(42);
    tensor<float> d_v(in.v.dimensions());
    const std::string said =
        words_of<std::exception>([&] { backward_into(whole, in.q, in.k, in.v, keeps, comes, d_q, d_k, d_v); });
    for (Eigen::Index i = 0; i < d_q.size(); ++i) EXPECT_EQ(d_q.data()[i], 42);
    return said;
  };
  const tensor<float> d_q(in.q.dimensions()), d_k(in.k.dimensions()), shorter(1, 2, 19, 8);
  EXPECT_EQ(words(mechanism, kept, attended{d_output, sums()}, d_q, d_k), "d_log_sum_exp and query differ in batch: 0 and 1");
  EXPECT_EQ(words(mechanism, kept, shorter, d_q, d_k), "d_output and query differ in tokens: 19 and 20");
  EXPECT_EQ(words(mechanism, attended{shorter, kept.log_sum_exp}, d_output, d_q, d_k),
            "output and query differ in tokens: 19 and 20");
  EXPECT_EQ(words(mechanism, attended{kept.output, sums(1, 2, 19)}, d_output, d_q, d_k),
            "log_sum_exp and query differ in tokens: 19 and 20");
  EXPECT_EQ(words(mechanism, kept, attended{d_output, sums(1, 2, 21)}, d_q, d_k),
            "d_log_sum_exp and query differ in tokens: 21 and 20");
  const view<const float> three{
      kept.log_sum_exp.data(), {1, 2, 20}, {40, 20, 1}};  // (batch, head, query) is not enough of a view
  const std::string one_a_row = " has one number a row, as a view (batch, head, query, 1): its last extent must be 1, not 0";
  EXPECT_EQ(words(mechanism, attended{kept.output, three}, d_output, d_q, d_k), "log_sum_exp" + one_a_row);
  EXPECT_EQ(words(mechanism, kept, attended{d_output, three}, d_q, d_k), "d_log_sum_exp" + one_a_row);
  EXPECT_EQ(words(mechanism, kept, d_output, shorter, d_k), "d_query and query differ in tokens: 19 and 20");
  EXPECT_EQ(words(mechanism, kept, d_output, d_q, d_q), "d_key and key differ in heads: 2 and 1");
  EXPECT_EQ(words(dot_product{} | scale_invariant{.tau = 0} | causal{}, kept, d_output, d_q, d_k),
            "scale_invariant: tau must be positive and finite, not 0");
}

// A list of numbers must fit the heads, whoever's part it is.
struct own_list {
  per_head bias;
  auto operator()(const query_row& row) const {
    return [bias = bias[row.head]](auto logit, const auto&) { return logit + bias; };
  }
  auto parameters() { return std::tie(bias); }
};

TEST(backward, and_forward_name_a_list_that_does_not_fit_the_heads) {
  const auto in = random_inputs<float>({.heads = 4, .key_heads = 1, .queries = 3, .keys = 3});
  EXPECT_EQ(words_of([&] { forward(dot_product{} | own_list{{1, 2}} | causal{}, in.q, in.k, in.v); }),
            "a part's per_head must be one number or one for each head: 2 numbers and 4 heads");
}

// The slope alone is enough where nothing is learned.
struct slope_alone {
  struct function {
    template <class Logit, class Keys>
      requires(!is_dual<Logit>)
    auto operator()(const Logit& logit, const Keys&) const {
      return logit * logit;
    }
    auto slope(const auto& logit, const auto&) const { return 2 * logit; }
  };
  function operator()(const query_row&) const { return {}; }
};

TEST(backward, takes_a_slope_for_a_body_that_does_not_run_on_dual_numbers) {
  const Eigen::MatrixXd q = Eigen::MatrixXd::Random(8, 30), k = Eigen::MatrixXd::Random(8, 30),
                        v = Eigen::MatrixXd::Random(5, 30);
  const auto each = dot_product{} | slope_alone{} | causal{};
  const auto kept = forward(each, q, k, v);
  const auto got = backward(each, q, k, v, kept, kept.output);
  const auto half_square = [&](const Eigen::MatrixXd& keys) { return forward(each, q, keys, v).output.squaredNorm() / 2; };
  Eigen::MatrixXd above = k, below = k;
  above(2, 7) += 1e-5, below(2, 7) -= 1e-5;
  EXPECT_NEAR(got.d_key(2, 7), (half_square(above) - half_square(below)) / 2e-5, 1e-9);
}

TEST(backward, refuses_to_write_on_what_it_reads) {
  auto in = random_inputs<float>({.queries = 9, .keys = 9});
  auto kept = forward(mechanism, in.q, in.k, in.v);
  tensor<float> d_q(in.q.dimensions()), d_k(in.k.dimensions()), d_v(in.v.dimensions()), d_output(kept.output);
  EXPECT_THROW(backward_into(mechanism, in.q, in.k, in.v, kept, d_output, in.q, d_k, d_v), shape_error);
  EXPECT_THROW(backward_into(mechanism, in.q, in.k, in.v, kept, d_output, d_q, d_output, d_v), shape_error);
  EXPECT_THROW(backward_into(mechanism, in.q, in.k, in.v, kept, d_output, d_q, d_k, kept.output), shape_error);
  EXPECT_THROW(backward_into(mechanism, in.q, in.k, in.v, kept, d_output, d_q, d_q, d_v), shape_error);
}

// What a part throws on a thread of the pool arrives at the caller, whoever waits for whom.
struct thrower {
  auto operator()(const query_row& row) const {
    return [position = row.position](auto logit, const auto& keys) {
      if (position == 700 && keys.first >= 256 && is_dual<decltype(logit)>) throw std::runtime_error("a part's own error");
      return logit;
    };
  }
};

TEST(backward, hands_on_what_a_part_throws) {
  const auto in = random_inputs<float>({.heads = 2, .key_heads = 2, .queries = 1500, .keys = 1500});
  const auto each = dot_product{} | thrower{} | causal{};
  const auto kept = forward(each, in.q, in.k, in.v);
  for (const int threads : {1, 2, 5}) {
    Eigen::ThreadPool pool(threads);
    EXPECT_THROW(backward(Eigen::ThreadPoolDevice(&pool, threads), each, in.q, in.k, in.v, kept, kept.output),
                 std::runtime_error);
  }
}

// An engine may call from a thread of the pool it hands over: the calling thread does the work if no other comes.
TEST(backward, can_be_called_from_within_the_pool) {
  const auto in = random_inputs<float>({.heads = 2, .key_heads = 2, .queries = 600, .keys = 600});
  const auto kept = forward(mechanism, in.q, in.k, in.v);
  const auto wanted = backward(mechanism, in.q, in.k, in.v, kept, kept.output);
  Eigen::ThreadPool pool(1);
  const Eigen::ThreadPoolDevice wider(&pool, 3);
  auto got = wanted;
  Eigen::Barrier done(1);
  pool.Schedule([&] {
    got = backward(wider, mechanism, in.q, in.k, in.v, kept, kept.output);
    done.Notify();
  });
  done.Wait();
  EXPECT_TRUE(same_bits(got.d_key, wanted.d_key));
}

// Parts, sets of keys, devices and tensors bring their namespace with them: see support/greedy.hpp.
TEST(backward, calls_no_function_of_a_user_s_namespace) {
  using some = greedy::tensor<float>;
  const auto q = some::some(2, 60, 8, 1), k = some::some(1, 70, 8, 2), v = some::some(1, 70, 8, 3),
             d_output = some::some(2, 60, 8, 4);
  const auto sentence = greedy::sentence();
  const auto kept = longspan::forward(sentence, q, k, v);
  const auto wanted = longspan::backward(sentence, q, k, v, kept, d_output);
  const auto made = longspan::backward_with_parameters(greedy::device{}, sentence, q, k, v, kept, d_output);
  EXPECT_TRUE(made.d_query.memory == wanted.d_query.memory && made.d_key.memory == wanted.d_key.memory &&
              made.d_value.memory == wanted.d_value.memory);
  some d_q{2, 60, 8}, d_k{1, 70, 8}, d_v{1, 70, 8};
  auto d_sentence = sentence;
  longspan::backward_into(sentence, q, k, v, kept, d_output, d_q, d_k, d_v);
  EXPECT_EQ(d_k.memory, wanted.d_key.memory);
  longspan::backward_with_parameters_into(sentence, q, k, v, kept, d_output, d_q, d_k, d_v, d_sentence);
  EXPECT_EQ(d_q.memory, wanted.d_query.memory);
  longspan::backward(greedy::device{}, sentence, q, k, v, kept, attended{d_output, some{2, 60, 1}});
  longspan::backward_with_parameters(sentence, q, k, v, kept, d_output);
  std::vector<double> learned_numbers;
  longspan::for_each_learned(d_sentence, made.d_mechanism, [&](double number, double other) {
    EXPECT_EQ(number, other);
    learned_numbers.push_back(number);
  });
  EXPECT_EQ(learned_numbers.size(), 4u);
  EXPECT_EQ(longspan::get<greedy::temperature>(d_sentence).factor, learned_numbers[0]);
}

}  // namespace

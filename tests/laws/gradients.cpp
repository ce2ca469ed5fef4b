// The laws that gradients keep.
#include <limits>
#include <vector>

#include <gtest/gtest.h>

#include "support/devices.hpp"
#include "support/loss.hpp"
#include "support/mechanisms.hpp"
#include "support/naive_backward.hpp"
#include "support/tensors.hpp"

namespace {

using namespace testing_support;
using namespace longspan;
using namespace longspan::detail;

// Over two tiles of keys and two steps of query rows, with groups of heads.
constexpr lengths uneven{.batch = 2, .heads = 2, .key_heads = 1, .queries = 37, .keys = 301, .channels = 12, .value_channels = 7};

template <class T>
tensor<T> like(const tensor<T>& t, unsigned seed) {
  return normal<T>(t.dimension(0), t.dimension(1), t.dimension(2), t.dimension(3), seed);
}

// The error rule: at most twice that of the naive method in the same precision, but for a few units in the last place of luck.
TEST(gradients, err_at_most_twice_as_much_as_the_naive_method) {
  const auto in = random_inputs<float>(uneven, 7);
  const auto d_output = normal<float>(2, 2, 37, 7, 4);
  const inputs<double> wide{in.q.cast<double>(), in.k.cast<double>(), in.v.cast<double>()};
  for_each_kind_of_mechanism([&](const char* name, const auto& mechanism) {
    const auto exact = naive_backward(mechanism, wide, tensor<double>(d_output.cast<double>()));
    const auto fused = backward(mechanism, in.q, in.k, in.v, kept_of(mechanism, in), d_output);
    const auto naive = naive_backward(mechanism, in, d_output);
    const double lucky = 8 * double(std::numeric_limits<float>::epsilon()),
                 scale = 1 + worst_gradient(exact, gradients{tensor<double>(0. * exact.d_query), tensor<double>(0. * exact.d_key),
                                                             tensor<double>(0. * exact.d_value)});
    EXPECT_LE(worst_gradient(fused, exact), 2 * worst_gradient(naive, exact) + lucky * scale) << name;
    const auto fused_double =
        backward(mechanism, wide.q, wide.k, wide.v, kept_of(mechanism, wide), tensor<double>(d_output.cast<double>()));
    EXPECT_LT(worst_gradient(fused_double, exact), 1e-12 * scale) << name;
  });
}

const auto mechanism = rms_normalize{} | p_rope{} | dot_product{} | info_scale{.trained = 64} | scale_invariant{} |
                       sinks_and_window{.sinks = 5, .window = 400};

template <class Gradients>
void expect_same_bits(const Gradients& a, const Gradients& b, const char* what) {
  EXPECT_TRUE(same_bits(a.d_query, b.d_query)) << what;
  EXPECT_TRUE(same_bits(a.d_key, b.d_key)) << what;
  EXPECT_TRUE(same_bits(a.d_value, b.d_value)) << what;
}

TEST(gradients, have_the_same_bits_for_any_number_of_threads) {
  for (const auto& of :
       {lengths{.batch = 2, .heads = 4, .key_heads = 2, .queries = 333, .keys = 333, .channels = 24, .value_channels = 20},
        lengths{.queries = 1500, .keys = 1500, .channels = 8, .value_channels = 8}}) {
    const auto in = random_inputs<float>(of);
    const auto d_output = like(forward(mechanism, in.q, in.k, in.v).output, 4);
    const auto kept = forward(mechanism, in.q, in.k, in.v);
    const auto alone = backward(mechanism, in.q, in.k, in.v, kept, d_output);
    const auto learning = dot_product{} | temperature{0.5} | scale_invariant{} | causal{} | sink{0.5};
    const auto kept_learning = forward(learning, in.q, in.k, in.v);
    auto numbers_alone = backward_with_parameters(learning, in.q, in.k, in.v, kept_learning, d_output).d_mechanism;
    for (const int threads : {1, 2, 3, 7}) {
      Eigen::ThreadPool pool(threads);
      const Eigen::ThreadPoolDevice device(&pool, threads);
      expect_same_bits(alone, backward(device, mechanism, in.q, in.k, in.v, kept, d_output), "threads");
      auto numbers = backward_with_parameters(device, learning, in.q, in.k, in.v, kept_learning, d_output).d_mechanism;
      EXPECT_EQ(std::get<1>(numbers.parts).factor, std::get<1>(numbers_alone.parts).factor);
      EXPECT_EQ(std::get<2>(numbers.parts).tau, std::get<2>(numbers_alone.parts).tau);
      EXPECT_EQ(std::get<4>(numbers.parts).logit[0], std::get<4>(numbers_alone.parts).logit[0]);
    }
  }
}

TEST(gradients, have_the_same_bits_on_any_device) {
  const auto in = random_inputs<float>(
      {.batch = 2, .heads = 4, .key_heads = 2, .queries = 333, .keys = 333, .channels = 24, .value_channels = 20});
  const auto kept = forward(mechanism, in.q, in.k, in.v);
  const auto d_output = like(kept.output, 4);
  const auto alone = backward(mechanism, in.q, in.k, in.v, kept, d_output);
  for (const index_t threads : {1, 2, 5}) {
    expect_same_bits(alone, backward(std_threads{threads}, mechanism, in.q, in.k, in.v, kept, d_output), "std::thread");
    expect_same_bits(alone, backward(backwards{threads}, mechanism, in.q, in.k, in.v, kept, d_output), "backwards");
  }
}

TEST(gradients, do_not_depend_on_the_batch) {
  const auto in = random_inputs<float>(
      {.batch = 3, .heads = 2, .key_heads = 1, .queries = 60, .keys = 290, .channels = 16, .value_channels = 16});
  const auto d_output = normal<float>(3, 2, 60, 16, 4);
  const auto all = backward(mechanism, in.q, in.k, in.v, forward(mechanism, in.q, in.k, in.v), d_output);
  for (index_t b = 0; b < 3; ++b) {
    const auto one = [&](const tensor<float>& t) {
      return tensor<float>(t.slice(Eigen::array<Eigen::Index, 4>{b, 0, 0, 0},
                                   Eigen::array<Eigen::Index, 4>{1, t.dimension(1), t.dimension(2), t.dimension(3)}));
    };
    const auto kept = forward(mechanism, one(in.q), one(in.k), one(in.v));
    expect_same_bits(backward(mechanism, one(in.q), one(in.k), one(in.v), kept, one(d_output)),
                     gradients{one(all.d_query), one(all.d_key), one(all.d_value)}, "batch");
  }
}

TEST(gradients, are_linear_in_what_comes_in) {
  const auto in = random_inputs<double>(uneven);
  for_each_kind_of_mechanism([&](const char* name, const auto& each) {
    const auto kept = kept_of(each, in);
    const tensor<double> a = like(kept.output, 4), b = like(kept.output, 5), both = 2. * a - 3. * b;
    const auto of_a = backward(each, in.q, in.k, in.v, kept, a), of_b = backward(each, in.q, in.k, in.v, kept, b);
    const gradients sum{tensor<double>(2. * of_a.d_query - 3. * of_b.d_query), tensor<double>(2. * of_a.d_key - 3. * of_b.d_key),
                        tensor<double>(2. * of_a.d_value - 3. * of_b.d_value)};
    EXPECT_LT(worst_gradient(backward(each, in.q, in.k, in.v, kept, both), sum), 1e-12) << name;
  });
}

// A temperature is a scale of the score; a table of the distance is the function in it; a slope told is a slope found.
struct cubed {
  auto operator()(const query_row&) const {
    return [](auto logit, const auto&) { return 0.01 * logit * logit * logit; };
  }
};
struct cubed_with_slope {
  struct function {
    auto operator()(const auto& logit, const auto&) const { return 0.01 * logit * logit * logit; }
    auto slope(const auto& logit, const auto&) const { return 0.03 * logit * logit; }
  };
  function operator()(const query_row&) const { return {}; }
};
struct table_by_hand {
  auto operator()(const query_row&) const {
    return [](auto logit, const auto& keys) { return logit * (1 + 0.1 * keys.distance()) - 0.2 * keys.distance(); };
  }
};

TEST(gradients, are_those_of_the_same_mechanism_written_otherwise) {
  const auto in = random_inputs<double>(uneven);
  const auto d_output = normal<double>(2, 2, 37, 7, 4);
  const auto of = [&](const auto& each) { return backward(each, in.q, in.k, in.v, kept_of(each, in), d_output); };
  const double root = 1 / std::sqrt(12.0);
  EXPECT_LT(worst_gradient(of(dot_product{} | temperature{3} | causal{}), of(dot_product{.scale = 3 * root} | causal{})), 1e-13);
  const by_distance table{[](index_t t) { return affine(1 + 0.1 * double(t), -0.2 * double(t)); }};
  EXPECT_LT(worst_gradient(of(dot_product{} | table | causal{}), of(dot_product{} | table_by_hand{} | causal{})), 1e-12);
  EXPECT_LT(worst_gradient(of(dot_product{} | cubed{} | causal{}), of(dot_product{} | cubed_with_slope{} | causal{})), 1e-13);
}

// The keys in parts, with what was kept of the whole: every part of the keys has its gradient, and those of the queries add up.
TEST(gradients, of_parts_of_the_keys_make_the_whole) {
  const auto in = random_inputs<double>(uneven);
  const auto d_output = normal<double>(2, 2, 37, 7, 4);
  for_each_kind_of_mechanism([&](const char* name, const auto& each) {
    const auto kept = kept_of(each, in);
    const auto whole = backward(each, in.q, in.k, in.v, kept, d_output);
    gradients sum{tensor<double>(0. * whole.d_query), tensor<double>(whole.d_key), tensor<double>(whole.d_value)};
    for (const interval keys : {interval{0, 120}, interval{120, 301}}) {
      const auto part = [&](const tensor<double>& t) {
        return tensor<double>(t.slice(Eigen::array<Eigen::Index, 4>{0, 0, keys.first, 0},
                                      Eigen::array<Eigen::Index, 4>{2, 1, keys.size(), t.dimension(3)}));
      };
      const auto of = backward(each, in.q, part(in.k), part(in.v), kept, d_output,
                               {.first_query = 301 - 37, .first_key = keys.first, .all_keys = 301});
      sum.d_query += of.d_query;
      EXPECT_LT(worst_difference(of.d_key, part(whole.d_key)), 1e-13) << name;
      EXPECT_LT(worst_difference(of.d_value, part(whole.d_value)), 1e-13) << name;
    }
    EXPECT_LT(worst_difference(sum.d_query, whole.d_query), 1e-13) << name;
  });
}

// A key that no row sees has a gradient of 0 whatever it and its value hold, and touches nothing; so does a row that sees no key.
TEST(gradients, of_what_is_hidden_are_zero_and_reach_nothing) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  auto in = random_inputs<double>({.heads = 2, .key_heads = 1, .queries = 90, .keys = 70, .channels = 10, .value_channels = 7});
  auto d_output = normal<double>(1, 2, 90, 7, 4);
  // The first 34 rows stand before every key, and the last at position 55: no row sees the keys beyond.
  const auto each =
      rms_normalize{} | rope{} | cosine{} | cos_scale{4} | alibi{} | softcap{5} | sinks_and_window{.sinks = 2, .window = 4};
  const placement where{.first_query = -34};
  const auto run = [&] { return backward(each, in.q, in.k, in.v, kept_of(each, in, where), d_output, where); };
  const auto clean = run();
  for (index_t c = 0; c < 10; ++c)
    for (index_t j = 56; j < 70; ++j) in.k(0, 0, j, c) = nan;
  for (index_t c = 0; c < 7; ++c)
    for (index_t j = 56; j < 70; ++j) in.v(0, 0, j, c) = HUGE_VAL;
  for (index_t h = 0; h < 2; ++h)
    for (index_t i = 0; i < 34; ++i) {
      for (index_t c = 0; c < 10; ++c) in.q(0, h, i, c) = nan;
      for (index_t c = 0; c < 7; ++c) d_output(0, h, i, c) = nan;
    }
  const auto poisoned = run();
  expect_same_bits(clean, poisoned, "hidden");
  for (index_t c = 0; c < 10; ++c) {
    for (index_t j = 56; j < 70; ++j) EXPECT_EQ(poisoned.d_key(0, 0, j, c), 0);
    for (index_t i = 0; i < 34; ++i) EXPECT_EQ(poisoned.d_query(0, 1, i, c), 0);
  }
  EXPECT_NE(poisoned.d_key(0, 0, 55, 3), 0);
}

// A NaN in one value reaches the rows that see it and, through them, the keys that they see, and nothing else.
TEST(gradients, carry_a_nan_as_far_as_it_is_seen) {
  auto in = random_inputs<double>({.queries = 200, .keys = 200, .channels = 10, .value_channels = 7});
  const auto d_output = normal<double>(1, 1, 200, 7, 4);
  in.v(0, 0, 90, 2) = std::numeric_limits<double>::quiet_NaN();
  const auto each = dot_product{} | sliding_window{9, 0};
  const auto got = backward(each, in.q, in.k, in.v, kept_of(each, in), d_output);
  for (index_t i = 0; i < 200; ++i) {
    EXPECT_EQ(std::isnan(got.d_query(0, 0, i, 1)), i >= 90 && i < 100) << i;
    EXPECT_EQ(std::isnan(got.d_key(0, 0, i, 1)), i >= 81 && i < 100) << i;
    EXPECT_FALSE(std::isnan(got.d_value(0, 0, i, 1))) << i;
  }
}

template <class S>
class gradients_of : public testing::Test {};
using storages = testing::Types<Eigen::half, Eigen::bfloat16>;
TYPED_TEST_SUITE(gradients_of, storages);

// Narrow storage rounds what goes in and comes out; sums are float.
TYPED_TEST(gradients_of, narrow_storage_are_those_of_float_rounded) {
  using S = TypeParam;
  const auto in = random_inputs<S>(uneven);
  const auto d_output = normal<S>(2, 2, 37, 7, 4);
  const auto sentence = rope{} | dot_product{} | alibi{} | causal{};
  const auto kept = forward(sentence, in.q, in.k, in.v);
  const auto narrow = backward(sentence, in.q, in.k, in.v, kept, d_output);
  static_assert(std::is_same_v<std::remove_cvref_t<decltype(narrow.d_key)>, tensor<S>>);
  const inputs<float> wide{in.q.template cast<float>(), in.k.template cast<float>(), in.v.template cast<float>()};
  const auto exact = backward(sentence, wide.q, wide.k, wide.v, forward(sentence, wide.q, wide.k, wide.v),
                              tensor<float>(d_output.template cast<float>()));
  const gradients got{tensor<float>(narrow.d_query.template cast<float>()), tensor<float>(narrow.d_key.template cast<float>()),
                      tensor<float>(narrow.d_value.template cast<float>())};
  const double allowed = std::is_same_v<S, Eigen::half> ? 4e-3 : 3e-2;
  EXPECT_LT(worst_gradient(got, exact), allowed);
}

}  // namespace

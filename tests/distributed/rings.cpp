// What a ring makes of a call is what one call of all rows makes, for any number of ranks.
#include <algorithm>
#include <array>
#include <thread>
#include <vector>

#include <unsupported/Eigen/CXX11/ThreadPool>

#include "both_ways.hpp"
#include "support/devices.hpp"

using namespace testing_support;
using namespace longspan;

namespace {

const auto windowed = rms_normalize{.query_gain = std::vector<double>(16, 1.1)} | rope{} | dot_product{} |
                      ss_max{.scale = {0.4, 0.5, 0.6, 0.7}} | alibi{} | sliding_window{.before = 40} | sink{0.3};

}  // namespace

TEST(ring, has_the_rows_that_scatter_gives_and_gather_puts_together) {
  const ring over(MPI_COMM_WORLD);
  for (const index_t tokens : {0, 1, 3, 8, 29}) {
    const auto whole = normal<float>(2, 3, tokens, 5, 1);
    const auto own = over.scatter(whole);
    index_t all = own.dimension(2);
    MPI_Allreduce(MPI_IN_PLACE, &all, 1, MPI_LONG, MPI_SUM, MPI_COMM_WORLD);
    EXPECT_EQ(all, tokens);
    EXPECT_TRUE(same_bits(over.gather(own), whole));
  }
}

TEST(ring, sees_windows_learns_and_counts_sinks_once) {
  const ring over(MPI_COMM_WORLD);
  for (const index_t tokens : {0, 1, 2, 5, 37, 301}) expect_the_same<float>(over, windowed, grouped(tokens, tokens), 3e-6);
  expect_the_same<float>(over, windowed, grouped(90, 260, 2), 3e-6);  // the last of the keys
  expect_the_same<float>(over, windowed, grouped(260, 90), 3e-6);     // rows before every key, which see none
  expect_the_same<float>(over, windowed, grouped(3, 0), 3e-6);
}

TEST(ring, runs_on_a_device) {
  Eigen::ThreadPool pool(2);
  const Eigen::ThreadPoolDevice threads(&pool, 2);
  expect_the_same<float>(ring(MPI_COMM_WORLD, threads), windowed, grouped(301, 301), 3e-6);
}

TEST(ring, takes_texts_packed_and_padded) {
  const ring over(MPI_COMM_WORLD);
  const std::vector<index_t> starts{0, 3, 3, 120, 121, 290, 300}, key_starts{0, 9, 11, 128, 129, 310, 320};
  const placement packed{.query_starts = starts, .key_starts = starts}, longer{.query_starts = starts, .key_starts = key_starts};
  expect_the_same<float>(over, windowed, grouped(300, 300), 3e-6, packed);
  expect_the_same<float>(over, windowed, grouped(300, 320), 3e-6, longer);
  const std::vector<index_t> query_lengths{70, 0, 130}, key_lengths{100, 20, 140};
  const placement padded{.key_lengths = key_lengths, .query_lengths = query_lengths};
  expect_the_same<float>(over, windowed, grouped(130, 140, 3), 3e-6, padded);
}

TEST(ring, multiplies_16_bits) {
  const auto mechanism = p_rope{} | dot_product{} | info_scale{.trained = 64} | scale_invariant{} | everything{};
  expect_the_same<Eigen::bfloat16>(ring(MPI_COMM_WORLD), mechanism, grouped(200, 200), 0.01);
}

// Tensors beside the queries and keys: rows are a rank's own, keys are all.
TEST(ring, reads_tensors_and_writes_their_gradients) {
  const ring over(MPI_COMM_WORLD);
  for (const index_t tokens : {7, 150}) {
    const auto numbers = normal<double>(1, 4, tokens, tokens, 3);
    const auto own_numbers = over.scatter(numbers);
    const auto importance = normal<double>(1, 1, 1, tokens, 4);
    const auto gates = normal<double>(1, 4, 1, tokens, 5);
    Eigen::Tensor<bool, 4, Eigen::RowMajor> sees = numbers.unaryExpr([](double x) { return x > -1; }).cast<bool>();
    const Eigen::Tensor<bool, 4, Eigen::RowMajor> own_sees = over.scatter(sees);
    tensor<double> d_numbers = numbers, d_own_numbers = own_numbers;
    std::array<tensor<double>, 2> d_importance{importance, importance}, d_gates{gates, gates};
    const auto by_token = [&](const tensor<double>& c) {
      return view<const double>{c.data(), {1, 4, tokens, 1}, {4 * tokens, tokens, 1, 1}};
    };
    const auto d_by_token = [&](tensor<double>& c) {
      return view<double>{c.data(), {1, 4, tokens, 1}, {4 * tokens, tokens, 1, 1}};
    };
    const auto mechanism = [&](auto& b, auto& d_b, std::size_t n, auto& mask) {
      return dot_product{} | bias{b, d_b} | bias{importance, d_importance[n]} |
             forgetting{by_token(gates), d_by_token(d_gates[n])} | boolean_mask{mask} | causal{} |
             dropout{.share = 0.2, .seed = 5} | sink{{0.1, 0.2, 0.3, 0.4}};
    };
    expect_the_same<double>(over, mechanism(numbers, d_numbers, 0, sees), mechanism(own_numbers, d_own_numbers, 1, own_sees),
                            grouped(tokens, tokens), 1e-12);
    EXPECT_LE(worst_difference(d_own_numbers, over.scatter(d_numbers)), 1e-11);
    EXPECT_LE(worst_difference(d_importance[1], d_importance[0]), 1e-10);
    EXPECT_LE(worst_difference(d_gates[1], d_gates[0]), 1e-10);
  }
}

// What is summed along diagonals, of every part of the keys and every rank.
TEST(ring, learns_by_distance) {
  const ring over(MPI_COMM_WORLD);
  const auto numbers = normal<double>(1, 1, 4, 20, 3);
  std::array<tensor<double>, 2> d_numbers{numbers, numbers};
  const auto mechanism = [&](std::size_t n) {
    return dot_product{} | scale_invariant{} | by_distance{kerple_log{{0.1, 0.2, 0.3, 0.4}, 0.5}} |
           relative_bias{numbers, [](index_t t) { return std::min<index_t>(t / 3, 19); }, d_numbers[n]} | causal{};
  };
  for (const index_t tokens : {7, 150, 301}) {
    expect_the_same<double>(over, mechanism(0), mechanism(1), grouped(tokens, tokens), 1e-12);
    EXPECT_LE(worst_difference(d_numbers[1], d_numbers[0]), 1e-10);
  }
  const std::vector<index_t> starts{0, 3, 3, 120, 121, 290, 300};
  expect_the_same<double>(over, mechanism(0), mechanism(1), grouped(300, 300), 1e-12,
                          placement{.query_starts = starts, .key_starts = starts});
  EXPECT_LE(worst_difference(d_numbers[1], d_numbers[0]), 1e-10);
}

TEST(ring, sends_what_is_seen_and_no_more) {
  const ring over(MPI_COMM_WORLD);
  const lengths of = grouped(4096, 4096);
  const inputs<float> in = random_inputs<float>(of);
  const inputs<float> own{over.scatter(in.q), over.scatter(in.k), over.scatter(in.v)};
  const index_t bytes_of_key = (16 + 8) * 2 * index_t(sizeof(float));
  forward(over, windowed, own.q, own.k, own.v);
  EXPECT_LE(over.bytes_sent(), 2 * 128 * bytes_of_key);  // to the rows after each stripe: 40 keys, in whole panels
}

TEST(ring, merges_what_ranks_make_of_their_own_keys) {
  const ring over(MPI_COMM_WORLD);
  const index_t keys = 130;
  const inputs<float> in = random_inputs<float>(grouped(2, keys));
  const auto whole = forward(windowed, in.q, in.k, in.v);
  const own_keys own(keys, over.rank(), over.ranks());
  const auto part =
      forward(windowed, in.q, own.of(in.k), own.of(in.v), {.first_query = keys - 2, .first_key = own.first, .all_keys = keys});
  const auto merged = over.merge(part);
  EXPECT_LE(relative_difference(merged.output, whole.output), 1e-6);
  EXPECT_LE(relative_difference(merged.log_sum_exp, whole.log_sum_exp), 1e-6);
  // The same from caches, each of which holds a rank's own keys.
  kv_cache<float> cache(windowed, {.key_heads = 2, .channels = 16, .value_channels = 8, .first_key = own.first});
  cache.append(own.of(in.k), own.of(in.v));
  const auto cached = forward(windowed, in.q, cache, {.all_keys = keys});
  EXPECT_TRUE(same_bits(cached.output, part.output));
  EXPECT_TRUE(same_bits(cached.log_sum_exp, part.log_sum_exp));
  EXPECT_THROW(forward(windowed, in.q, cache, {.all_keys = own.last - 1}), shape_error);
  if (over.ranks() > 1) {
    const auto of_other_rows = forward(windowed, normal<float>(1, 4, over.rank() == 0 ? 2 : 3, 16, 1), in.k, in.v);
    EXPECT_THROW((void)over.merge(of_other_rows), shape_error);
  }
}

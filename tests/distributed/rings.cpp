// What a ring makes of a call is what one call of all rows makes, for any number of ranks.
#include <array>
#include <cstddef>
#include <limits>
#include <thread>
#include <vector>

#include <unsupported/Eigen/CXX11/ThreadPool>

#include "both_ways.hpp"
#include "support/devices.hpp"

using namespace testing_support;
using namespace longspan;

namespace {

auto within(index_t before) {
  return rms_normalize{.query_gain = std::vector<double>(16, 1.1)} | rope{} | dot_product{} |
         ss_max{.scale = {0.4, 0.5, 0.6, 0.7}} | alibi{} | sliding_window{.before = before} | sink{0.3};
}
const auto windowed = within(40);

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

// Their messages do not meet: each ring has a communicator of its own.
TEST(ring, of_each_thread_is_called_at_the_same_time) {
  int provided = 0;
  MPI_Query_thread(&provided);
  if (provided < MPI_THREAD_MULTIPLE) GTEST_SKIP() << "MPI serves one thread at a time";
  const std::vector<ring<detail::this_thread>> rings{ring(MPI_COMM_WORLD), ring(MPI_COMM_WORLD)};
  const inputs<float> in = random_inputs<float>(grouped(301, 301)), other = random_inputs<float>(grouped(301, 301), 20);
  const auto part_of = [&](std::size_t n, const inputs<float>& of) {
    return forward(rings[n], windowed, rings[n].scatter(of.q), rings[n].scatter(of.k), rings[n].scatter(of.v)).output;
  };
  const tensor<float> alone = part_of(0, in), other_alone = part_of(1, other);
  for (int repetition = 0; repetition < 3; ++repetition) {
    tensor<float> at_once, other_at_once;
    std::thread thread([&] { other_at_once = part_of(1, other); });
    at_once = part_of(0, in);
    thread.join();
    EXPECT_TRUE(same_bits(at_once, alone));
    EXPECT_TRUE(same_bits(other_at_once, other_alone));
  }
}

// Token by token the heads side by side, as projections make them, and channels first.
TEST(ring, reads_tensors_of_any_strides) {
  const ring over(MPI_COMM_WORLD);
  const lengths of = grouped(301, 301);
  const inputs<float> in = random_inputs<float>(of);
  const inputs<float> own{over.scatter(in.q), over.scatter(in.k), over.scatter(in.v)};
  const tensor<float> d = over.scatter(d_output_of<float>(of));
  const auto part = forward(over, windowed, own.q, own.k, own.v);
  const auto d_part = backward(over, windowed, own.q, own.k, own.v, part, d);

  const auto by_token = [](auto& memory, const tensor<float>& like) {
    const index_t heads = like.dimension(1), tokens = like.dimension(2), channels = like.dimension(3);
    memory.resize(std::size_t(like.size()));
    return view<float>{memory.data(), {1, heads, tokens, channels}, {0, channels, heads * channels, 1}};
  };
  std::array<std::vector<float>, 7> memory;
  const auto q = by_token(memory[0], own.q), k = by_token(memory[1], own.k), v = by_token(memory[2], own.v),
             d_q = by_token(memory[3], own.q), d_k = by_token(memory[4], own.k), d_v = by_token(memory[5], own.v),
             output = by_token(memory[6], part.output);
  const auto copy = [](const auto& from, const auto& to) { detail::copy_tokens(detail::this_thread{}, from, to); };
  copy(detail::view_of(own.q), q), copy(detail::view_of(own.k), k), copy(detail::view_of(own.v), v);
  forward_into(over, windowed, q, k, v, output);
  backward_into(over, windowed, q, k, v, part, d, d_q, d_k, d_v);
  const auto expect_same = [&](const view<float>& strided, const tensor<float>& packed) {
    tensor<float> made = packed;
    copy(strided, detail::view_of(made));
    EXPECT_TRUE(same_bits(made, packed));
  };
  expect_same(output, part.output);
  expect_same(d_q, d_part.d_query), expect_same(d_k, d_part.d_key), expect_same(d_v, d_part.d_value);

  const auto channels_first = [](const tensor<float>& t) { return Eigen::Tensor<float, 4>(t.swap_layout()); };
  const auto of_columns = forward(over, windowed, channels_first(own.q), channels_first(own.k), channels_first(own.v));
  EXPECT_TRUE(same_bits(tensor<float>(of_columns.output.swap_layout()), part.output));
  EXPECT_TRUE(same_bits(over.scatter(channels_first(in.q)), channels_first(own.q)));
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

TEST(ring, sends_what_is_seen_and_no_more) {
  const index_t bytes_of_key = (16 + 8) * 2 * index_t(sizeof(float));
  const auto bytes_sent = [](const auto& mechanism, const lengths& of) {
    const ring over(MPI_COMM_WORLD);
    const inputs<float> in = random_inputs<float>(of);
    forward(over, mechanism, over.scatter(in.q), over.scatter(in.k), over.scatter(in.v));
    return over.bytes_sent();
  };
  // To the rows after each stripe: 40 keys, in whole panels.
  EXPECT_LE(bytes_sent(windowed, grouped(4096, 4096)), 2 * 128 * bytes_of_key);
  // Of all that is before a row: an early stripe to all others, a late one to those with a later one.
  const ring over(MPI_COMM_WORLD);
  const index_t stripe = 50, tokens = 2 * over.ranks() * stripe;
  EXPECT_EQ(bytes_sent(within(tokens), grouped(tokens, tokens)), (over.ranks() - 1 + over.rank()) * stripe * bytes_of_key);
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
  if (over.ranks() > 1) {
    auto of_nothing = whole;  // from elsewhere, where what saw nothing may be left as it was
    of_nothing.output.setConstant(std::numeric_limits<float>::quiet_NaN());
    of_nothing.log_sum_exp.setConstant(-std::numeric_limits<float>::infinity());
    EXPECT_LE(relative_difference(over.merge(over.rank() == 1 ? whole : of_nothing).output, whole.output), 1e-6);
    const auto of_other_rows = forward(windowed, normal<float>(1, 4, over.rank() == 0 ? 2 : 3, 16, 1), in.k, in.v);
    EXPECT_THROW((void)over.merge(of_other_rows), shape_error);
  }
}

// Sums over a ring are the sums of one call, for any number of ranks.
#include <cmath>
#include <limits>
#include <stdexcept>
#include <vector>

#include "both_ways.hpp"

using namespace testing_support;
using namespace longspan;

namespace {

struct distances {
  index_t near = 19, middle = 99;
  index_t middle_from = near + 1, far_from = middle + 1;
};

// Near, middle and far distances, each with rows, temperatures and learned numbers of its own. The sink is the last's, and counted with the
// first key that any summand sees. n is that of all three.
auto three(const distances& of = {}) {
  return (rms_normalize{.query_gain = std::vector<double>(16, 1.1)} | rope{} | dot_product{} | log_n{.trained = 32} |
          sliding_window{of.near} | sink{5.0}) +
         (rope{}.at([](index_t place) { return 0.25 * double(place); }) | dot_product{} | ss_max{.scale = {0.3, 0.4, 0.5, 0.6}} |
          alibi{} | sliding_window{of.middle} | at_least{of.middle_from} | sink{0.3}) +
         (dot_product{} | temperature{0.8} | info_scale{.trained = 64} | causal{} | at_least{of.far_from});
}

}  // namespace

TEST(sums_over_a_ring, are_those_of_one_call) {
  const ring over(MPI_COMM_WORLD);
  for (const index_t tokens : {0, 1, 5, 301}) expect_the_same<float>(over, three(), grouped(tokens, tokens), 3e-6);
  expect_the_same<float>(over, three(), grouped(90, 260, 2), 3e-6);  // the last of the keys
  expect_the_same<float>(over, three(), grouped(260, 90), 3e-6);     // rows before every key, which see none
  expect_the_same<float>(over, three(), grouped(3, 0), 3e-6);
  const std::vector<index_t> starts{0, 3, 3, 120, 121, 290, 300}, query_lengths{70, 0, 130}, key_lengths{100, 20, 140};
  expect_the_same<float>(over, three(), grouped(300, 300), 3e-6, placement{.query_starts = starts, .key_starts = starts});
  expect_the_same<float>(over, three(), grouped(130, 140, 3), 3e-6,
                         placement{.key_lengths = key_lengths, .query_lengths = query_lengths});
}

TEST(sums_over_a_ring, have_the_bits_of_one_call_on_one_rank) {
  const ring over(MPI_COMM_SELF);
  const inputs<float> in = random_inputs<float>(grouped(150, 200));
  const auto part = forward(over, three(), in.q, in.k, in.v), whole = forward(three(), in.q, in.k, in.v);
  EXPECT_TRUE(same_bits(part.output, whole.output));
  EXPECT_TRUE(same_bits(part.log_sum_exp, whole.log_sum_exp));
}

// The logits of the first hundred keys are -infinity, and so is what a rank knows of a row that sees no others of its keys: the infinity and
// the NaN among their values reach the row nevertheless.
TEST(sums_over_a_ring, carry_a_nan_by_a_weight_of_zero) {
  const ring over(MPI_COMM_WORLD);
  inputs<float> in = random_inputs<float>(grouped(300, 300));
  in.q.setConstant(1);
  for (index_t j = 0; j < 100; ++j) in.k(0, 0, j, 3) = in.k(0, 1, j, 3) = -std::numeric_limits<float>::infinity();
  in.v(0, 1, 5, 2) = std::numeric_limits<float>::quiet_NaN(), in.v(0, 1, 40, 7) = std::numeric_limits<float>::infinity();
  const auto near_and_far = (dot_product{} | sliding_window{19}) + (dot_product{} | causal{} | at_least{20});
  const auto expect_same_nan = [&](const auto& mechanism) {
    const tensor<float> whole = forward(mechanism, in.q, in.k, in.v).output;
    const auto part = forward(over, mechanism, over.scatter(in.q), over.scatter(in.k), over.scatter(in.v));
    const tensor<float> own = over.scatter(whole);
    for (index_t i = 0; i < own.size(); ++i) EXPECT_EQ(std::isnan(part.output.data()[i]), std::isnan(own.data()[i])) << i;
    EXPECT_TRUE(std::isnan(whole(0, 2, 299, 2)) && std::isnan(whole(0, 2, 299, 7)) && std::isfinite(whole(0, 1, 299, 2)));
  };
  expect_same_nan(dot_product{} | causal{});
  expect_same_nan(near_and_far);
}

TEST(sums_over_a_ring, send_what_some_summand_sees) {
  const ring over(MPI_COMM_WORLD);
  const inputs<float> in = random_inputs<float>(grouped(4096, 4096));
  const inputs<float> own{over.scatter(in.q), over.scatter(in.k), over.scatter(in.v)};
  forward(over, three({.middle = 40, .far_from = 4096}), own.q, own.k, own.v);
  const index_t bytes_of_key = (16 + 8) * 2 * index_t(sizeof(float));
  EXPECT_LE(over.bytes_sent(), 2 * 128 * bytes_of_key);  // to the rows after each stripe: 40 keys, in whole panels
  EXPECT_GE(over.bytes_sent(), over.ranks() > 1 ? 40 * bytes_of_key : 0);
}

TEST(sums_over_a_ring, are_refused_on_every_rank_where_a_row_sees_a_key_twice) {
  const ring over(MPI_COMM_WORLD);
  const inputs<float> in = random_inputs<float>(grouped(64, 64));
  const auto q = over.scatter(in.q), k = over.scatter(in.k), v = over.scatter(in.v),
             d = over.scatter(d_output_of<float>(grouped(64, 64)));
  const auto part = forward(over, three(), q, k, v);
  const auto twice = three({.middle_from = 19});
  EXPECT_THROW(forward(over, twice, q, k, v), std::invalid_argument);
  EXPECT_THROW(backward_with_parameters(over, twice, q, k, v, part, d), std::invalid_argument);
}

TEST(sums_over_a_ring, merge_what_ranks_make_of_their_own_keys) {
  const ring over(MPI_COMM_WORLD);
  const index_t keys = 130;
  const inputs<float> in = random_inputs<float>(grouped(2, keys));
  const own_keys own(keys, over.rank(), over.ranks());
  const auto part =
      forward(three(), in.q, own.of(in.k), own.of(in.v), {.first_query = keys - 2, .first_key = own.first, .all_keys = keys});
  const auto merged = over.merge(part), whole = forward(three(), in.q, in.k, in.v);
  EXPECT_LE(relative_difference(merged.output, whole.output), 1e-6);
  EXPECT_LE(relative_difference(merged.log_sum_exp, whole.log_sum_exp), 1e-6);
}

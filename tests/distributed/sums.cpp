// Sums over a ring are the sums of one call, for any number of ranks.
#include <stdexcept>
#include <vector>

#include "both_ways.hpp"

using namespace testing_support;
using namespace longspan;

namespace {

// Distances below 20, from 20 to 99, and the rest, each with rows, temperatures and learned numbers of its own. The sink is the last's, and
// counted with the first key that any summand sees. n is that of all three.
const auto three = (rms_normalize{.query_gain = std::vector<double>(16, 1.1)} | rope{} | dot_product{} | log_n{.trained = 32} |
                    sliding_window{19} | sink{5.0}) +
                   (rope{}.at([](index_t place) { return 0.25 * double(place); }) | dot_product{} |
                    ss_max{.scale = {0.3, 0.4, 0.5, 0.6}} | alibi{} | sliding_window{99} | at_least{20} | sink{0.3}) +
                   (dot_product{} | temperature{0.8} | info_scale{.trained = 64} | causal{} | at_least{100});

}  // namespace

TEST(sums_over_a_ring, are_those_of_one_call) {
  const ring over(MPI_COMM_WORLD);
  for (const index_t tokens : {0, 1, 5, 301}) expect_the_same<float>(over, three, grouped(tokens, tokens), 3e-6);
  expect_the_same<float>(over, three, grouped(90, 260, 2), 3e-6);  // the last of the keys
  expect_the_same<float>(over, three, grouped(260, 90), 3e-6);     // rows before every key, which see none
  expect_the_same<float>(over, three, grouped(3, 0), 3e-6);
  const std::vector<index_t> starts{0, 3, 3, 120, 121, 290, 300}, query_lengths{70, 0, 130}, key_lengths{100, 20, 140};
  expect_the_same<float>(over, three, grouped(300, 300), 3e-6, placement{.query_starts = starts, .key_starts = starts});
  expect_the_same<float>(over, three, grouped(130, 140, 3), 3e-6,
                         placement{.key_lengths = key_lengths, .query_lengths = query_lengths});
}

TEST(sums_over_a_ring, turn_keys_once_for_each_summand) {
  const ring over(MPI_COMM_WORLD);
  const auto mechanism = rerope(64, dot_product{} | log_n{.trained = 128, .clamp = true});
  for (const index_t tokens : {63, 500}) expect_the_same<float>(over, mechanism, grouped(tokens, tokens), 3e-6);
  expect_the_same<Eigen::bfloat16>(over, mechanism, grouped(200, 200), 0.02);
}

// Masks that differ by head, and gradients of tensors that parts read.
TEST(sums_over_a_ring, read_tensors_and_write_their_gradients) {
  const ring over(MPI_COMM_WORLD);
  const index_t tokens = 150;
  const auto numbers = normal<double>(1, 4, tokens, tokens, 3), importance = normal<double>(1, 1, 1, tokens, 4);
  using bits = Eigen::Tensor<bool, 4, Eigen::RowMajor>;
  const bits first = numbers.unaryExpr([](double x) { return x > 0.3; }).cast<bool>();
  const bits others = numbers.unaryExpr([](double x) { return x <= 0.3; }).cast<bool>();
  const auto own_numbers = over.scatter(numbers);
  const bits own_first = over.scatter(first), own_others = over.scatter(others);
  tensor<double> d_numbers = numbers, d_own_numbers = own_numbers, d_importance = importance, d_own_importance = importance;
  const auto mechanism = [&](auto& b, auto& d_b, auto& d_by_key, auto& mask, auto& other_mask) {
    return (dot_product{} | bias{b, d_b} | boolean_mask{mask} | causal{}) +
           (rope{} | cosine{} | temperature{4} | bias{importance, d_by_key} | boolean_mask{other_mask} | causal{} |
            dropout{.share = 0.2, .seed = 5} | sink{{0.1, 0.2, 0.3, 0.4}});
  };
  expect_the_same<double>(over, mechanism(numbers, d_numbers, d_importance, first, others),
                          mechanism(own_numbers, d_own_numbers, d_own_importance, own_first, own_others), grouped(tokens, tokens),
                          1e-12);
  EXPECT_LE(worst_difference(d_own_numbers, over.scatter(d_numbers)), 1e-11);
  EXPECT_LE(worst_difference(d_own_importance, d_importance), 1e-10);
}

TEST(sums_over_a_ring, have_the_bits_of_one_call_on_one_rank) {
  const ring over(MPI_COMM_SELF);
  const inputs<float> in = random_inputs<float>(grouped(150, 200));
  const auto part = forward(over, three, in.q, in.k, in.v), whole = forward(three, in.q, in.k, in.v);
  EXPECT_TRUE(same_bits(part.output, whole.output));
  EXPECT_TRUE(same_bits(part.log_sum_exp, whole.log_sum_exp));
}

TEST(sums_over_a_ring, send_what_some_summand_sees) {
  const ring over(MPI_COMM_WORLD);
  const inputs<float> in = random_inputs<float>(grouped(4096, 4096));
  const inputs<float> own{over.scatter(in.q), over.scatter(in.k), over.scatter(in.v)};
  const auto near = rope{} | dot_product{} | sliding_window{19};
  const auto far = dot_product{} | sliding_window{40} | at_least{20};
  forward(over, near + far, own.q, own.k, own.v);
  const index_t bytes_of_key = (16 + 8) * 2 * index_t(sizeof(float));
  EXPECT_LE(over.bytes_sent(), 2 * 128 * bytes_of_key);  // to the rows after each stripe: 40 keys, in whole panels
  EXPECT_GE(over.bytes_sent(), over.ranks() > 1 ? 40 * bytes_of_key : 0);
}

TEST(sums_over_a_ring, are_refused_on_every_rank_where_a_row_sees_a_key_twice) {
  const ring over(MPI_COMM_WORLD);
  const inputs<float> in = random_inputs<float>(grouped(64, 64));
  const auto q = over.scatter(in.q), k = over.scatter(in.k), v = over.scatter(in.v);
  const auto twice = (dot_product{} | sliding_window{20}) + (dot_product{} | causal{} | at_least{20});
  EXPECT_THROW(forward(over, twice, q, k, v), std::invalid_argument);
  const auto part = forward(over, dot_product{} | causal{}, q, k, v);
  EXPECT_THROW(backward(over, twice, q, k, v, part, part.output), std::invalid_argument);
}

// From tensors and from caches, where the summands prepare keys alike.
TEST(sums_over_a_ring, merge_what_ranks_make_of_their_own_keys) {
  const ring over(MPI_COMM_WORLD);
  const index_t keys = 130;
  const auto streaming =
      (rope{} | dot_product{} | log_n{.trained = 32} | sliding_window{39}) +
      (rope{} | dot_product{} | ss_max{} | sinks_and_window{.sinks = 4, .window = 0} | at_least{40} | sink{0.3});
  const inputs<float> in = random_inputs<float>(grouped(2, keys));
  const own_keys own(keys, over.rank(), over.ranks());
  const placement where{.first_query = keys - 2, .first_key = own.first, .all_keys = keys};
  const auto expect_merged = [&](const auto& mechanism, const auto& part) {
    const auto merged = over.merge(part), whole = forward(mechanism, in.q, in.k, in.v);
    EXPECT_LE(relative_difference(merged.output, whole.output), 1e-6);
    EXPECT_LE(relative_difference(merged.log_sum_exp, whole.log_sum_exp), 1e-6);
  };
  expect_merged(three, forward(three, in.q, own.of(in.k), own.of(in.v), where));
  const auto part = forward(streaming, in.q, own.of(in.k), own.of(in.v), where);
  expect_merged(streaming, part);
  kv_cache<float> cache(streaming, {.key_heads = 2, .channels = 16, .value_channels = 8, .first_key = own.first});
  cache.append(own.of(in.k), own.of(in.v));
  const auto cached = forward(streaming, in.q, cache, {.all_keys = keys});
  EXPECT_TRUE(same_bits(cached.output, part.output));
  EXPECT_TRUE(same_bits(cached.log_sum_exp, part.log_sum_exp));
}

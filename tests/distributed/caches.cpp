// Keys that caches of all ranks hold together are attended to as those of one cache.
#include <string>
#include <vector>

#include "both_ways.hpp"
#include "words_of.hpp"

using namespace testing_support;
using namespace longspan;

namespace {

// Sinks and a window, each with temperatures of its own, over keys that are turned once.
const auto streaming = (rope{} | dot_product{} | log_n{.trained = 32} | sliding_window{39}) +
                       (rope{} | dot_product{} | ss_max{} | sinks_and_window{.sinks = 4, .window = 0} | at_least{40} | sink{0.3});

kv_cache<float> cache_from(index_t first, index_t texts = 1) {
  return {streaming, {.key_heads = 2, .channels = 16, .value_channels = 8, .texts = texts, .first_key = first}};
}

// Some tokens of one text.
view<const float> tokens_of(const tensor<float>& all, interval some, index_t text = 0) {
  return detail::view_of(all).tokens_of(text, some);
}

void expect_near(const attended<tensor<float>, Eigen::Tensor<float, 3, Eigen::RowMajor>>& spread, const auto& whole) {
  EXPECT_LE(relative_difference(spread.output, whole.output), 1e-6);
  EXPECT_LE(relative_difference(spread.log_sum_exp, whole.log_sum_exp), 1e-6);
  auto of_first = spread;
  MPI_Bcast(of_first.output.data(), int(of_first.output.size()), MPI_FLOAT, 0, MPI_COMM_WORLD);
  EXPECT_TRUE(same_bits(of_first.output, spread.output));
}

}  // namespace

TEST(caches_of_ranks, hold_a_text_together_and_its_next_tokens) {
  const ring over(MPI_COMM_WORLD);
  const index_t read = 130, keys = 133;
  const inputs<float> in = random_inputs<float>(grouped(2, keys));
  const own_keys own(read, over.rank(), over.ranks());
  auto cache = cache_from(own.first), whole = cache_from(0);
  cache.append(own.of(in.k), own.of(in.v));
  whole.append(tokens_of(in.k, {0, read}), tokens_of(in.v, {0, read}));
  expect_near(forward(over, streaming, in.q, cache), forward(streaming, in.q, whole));
  // What follows is kept by the last rank, and the others know of it. The queries are those of the first.
  whole.append(tokens_of(in.k, {read, keys}), tokens_of(in.v, {read, keys}));
  if (over.rank() + 1 == over.ranks()) cache.append(tokens_of(in.k, {read, keys}), tokens_of(in.v, {read, keys}));
  const tensor<float> q = over.rank() == 0 ? in.q : tensor<float>(in.q * 3.f);
  expect_near(forward(over, streaming, q, cache), forward(streaming, in.q, whole));
  expect_near(forward(over, streaming, q, cache, {.first_query = 7}), forward(streaming, in.q, whole, {.first_query = 7}));
}

// What a ring read before is kept where it lies: in a cache for each stripe.
TEST(caches_of_ranks, hold_the_stripes_of_a_ring) {
  const ring over(MPI_COMM_WORLD);
  for (const index_t keys : {8, 301}) {
    const inputs<float> in = random_inputs<float>(grouped(1, keys));
    const tensor<float> own_k = over.scatter(in.k), own_v = over.scatter(in.v);
    std::vector<kv_cache<float>> caches;
    index_t row = 0;
    for (const interval stripe : over.own(keys)) {
      caches.push_back(cache_from(stripe.first));
      const interval rows{row, row + stripe.size()};
      caches.back().append(tokens_of(own_k, rows), tokens_of(own_v, rows));
      row = rows.last;
    }
    expect_near(forward(over, streaming, in.q, caches), forward(streaming, in.q, in.k, in.v));
  }
}

TEST(caches_of_ranks, hold_texts_of_different_lengths) {
  const ring over(MPI_COMM_WORLD);
  const std::vector<index_t> lengths{50, 0, 90};
  const inputs<float> in = random_inputs<float>(grouped(1, 90, 3));
  auto cache = cache_from(over.rank() * 20, 3), whole = cache_from(0, 3);
  for (index_t t = 0; t < 3; ++t) {
    const index_t last = lengths[std::size_t(t)];
    const interval own{over.rank() * 20, over.rank() + 1 == over.ranks() ? last : std::min(last, over.rank() * 20 + 20)};
    if (!own.empty()) cache.append(t, tokens_of(in.k, own, t), tokens_of(in.v, own, t));
    if (last > 0) whole.append(t, tokens_of(in.k, {0, last}, t), tokens_of(in.v, {0, last}, t));
  }
  expect_near(forward(over, streaming, in.q, cache), forward(streaming, in.q, whole));
}

// The sink of rows that see nothing is counted once.
TEST(caches_of_ranks, may_hold_nothing) {
  const ring over(MPI_COMM_WORLD);
  const inputs<float> in = random_inputs<float>(grouped(2, 3));
  for (const index_t first : {index_t(0), over.rank()}) {
    auto cache = cache_from(first);
    expect_near(forward(over, streaming, in.q, cache), forward(streaming, in.q, cache_from(0)));
  }
}

TEST(caches_of_ranks, hold_every_key_once_or_are_refused_on_every_rank) {
  const ring over(MPI_COMM_WORLD);
  const inputs<float> in = random_inputs<float>(grouped(1, 10));
  const bool last = over.rank() + 1 == over.ranks();
  const auto words_from = [&](index_t first, const tensor<float>& q, const placement& where = {}) {
    auto cache = cache_from(first);
    cache.append(in.k, in.v);
    return words_of([&] { forward(over, streaming, q, cache, where); });
  };
  const std::string begin = "the caches of the ranks hold, of text 0, key ";
  EXPECT_EQ(words_from(over.rank() * 10 + 1, in.q), begin + "1 but not key 0");
  EXPECT_EQ(words_from(over.rank() * 9, in.q), over.ranks() > 1 ? begin + "9 twice" : "nothing was thrown");
  EXPECT_EQ(words_from(over.rank() * 10, in.q, {.all_keys = 10}),
            "placement: a ring counts the keys of its caches itself, all_keys is not said");
  const std::string of_last = last ? "" : "rank " + std::to_string(over.ranks() - 1) + ": ";
  const std::vector<kv_cache<float>> caches(last ? 0 : 1, cache_from(0));
  EXPECT_EQ(words_of([&] { forward(over, streaming, in.q, caches); }),
            of_last + "a rank without a cache: one that holds no tokens says what they would be like");
  const tensor<float> narrow = normal<float>(1, 4, 1, last ? 15 : 16, 1);
  EXPECT_EQ(words_from(over.rank() * 10, narrow), of_last + "query and cache differ in channels: 15 and 16");
  if (over.ranks() == 1) return;
  const tensor<float> more = normal<float>(1, 4, last ? 2 : 1, 16, 1);
  EXPECT_EQ(words_from(over.rank() * 10, more),
            "ranks 0 and " + std::to_string(over.ranks() - 1) + " differ in queries: 1 and 2");
}

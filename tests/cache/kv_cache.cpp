#include <longspan/cache/kv_cache.hpp>

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <optional>
#include <random>
#include <thread>
#include <vector>

#include <longspan/longspan.hpp>

#include "support/tensors.hpp"
#include "support/words.hpp"

namespace {

using namespace testing_support;
using namespace longspan;

constexpr lengths of{.heads = 4, .key_heads = 2, .queries = 700, .keys = 700, .channels = 20, .value_channels = 9};
const cache_shape fits{.key_heads = 2, .channels = 20, .value_channels = 9};

template <class T>
tensor<T> some_tokens(const tensor<T>& t, index_t first, index_t count) {
  return t.slice(Eigen::array<index_t, 4>{0, 0, first, 0},
                 Eigen::array<index_t, 4>{t.dimension(0), t.dimension(1), count, t.dimension(3)});
}

const auto turned = rms_normalize{} | rope{} | dot_product{} | scale_invariant{} | causal{};

// A prompt in pieces that end within pages and panels, then token by token.
template <class T, class Mechanism>
void expect_the_bits_of_one_call(const Mechanism& mechanism) {
  const auto in = random_inputs<T>(of);
  const auto at_once = forward(mechanism, in.q, in.k, in.v);
  kv_cache<T> cache(mechanism, fits);
  for (index_t first = 0; const index_t count : {1, 63, 64, 65, 200, 1, 1, 254, 50, 1}) {
    cache.append(some_tokens(in.k, first, count), some_tokens(in.v, first, count));
    const auto got = forward(mechanism, some_tokens(in.q, first, count), cache);
    EXPECT_TRUE(same_bits(got.output, some_tokens(at_once.output, first, count))) << first << " and " << count;
    for (index_t i = 0; i < count; ++i) EXPECT_EQ(got.log_sum_exp(0, 1, i), at_once.log_sum_exp(0, 1, first + i));
    first += count;
  }
  EXPECT_EQ(cache.length(), 700);
}

TEST(kv_cache, has_the_bits_of_one_call_in_whatever_pieces_tokens_come) {
  expect_the_bits_of_one_call<float>(turned);
  expect_the_bits_of_one_call<double>(turned);
  expect_the_bits_of_one_call<float>(cosine{} | cos_scale{16} | info_scale{.trained = 64} | causal{} | sink{{0.5, -1, 2, 0}});
  expect_the_bits_of_one_call<float>(rope{}.at([](index_t place) { return double(place) / 3; }) | dot_product{} | softcap{3} |
                                     causal{});
}

// Maps that look at the text or at a tensor of positions are told what they are told of tensors.
TEST(kv_cache, turns_rows_of_each_text_by_maps) {
  lengths two = of;
  two.batch = 2, two.keys = two.queries = 150;
  const auto in = random_inputs<float>(two);
  cache_shape shape = fits;
  shape.texts = 2;
  Eigen::Tensor<float, 2, Eigen::RowMajor> ids(2, 150);
  for (index_t i = 0; i < ids.size(); ++i) ids.data()[i] = float(i % 37) / 2;
  const auto expect = [&](const auto& mechanism) {
    kv_cache<float> cache(mechanism, shape);
    for (index_t first = 0; const index_t count : {1, 140, 9}) {
      cache.append(some_tokens(in.k, first, count), some_tokens(in.v, first, count));
      first += count;
    }
    EXPECT_TRUE(same_bits(forward(mechanism, in.q, cache).output, forward(mechanism, in.q, in.k, in.v).output));
    const auto second = some_tokens(in.q, 149, 1);
    EXPECT_TRUE(same_bits(forward(mechanism, second, cache).output, forward(mechanism, second, in.k, in.v).output));
    kv_cache<float> apart(mechanism, shape);  // text by text
    for (index_t t = 1; t >= 0; --t) {
      const auto text = [&](const tensor<float>& all) -> tensor<float> {
        return all.slice(Eigen::array<index_t, 4>{t, 0, 0, 0},
                         Eigen::array<index_t, 4>{1, all.dimension(1), all.dimension(2), all.dimension(3)});
      };
      apart.append(t, text(in.k), text(in.v));
    }
    EXPECT_TRUE(same_bits(forward(mechanism, in.q, apart).output, forward(mechanism, in.q, in.k, in.v).output));
  };
  expect(rope{}.at([](index_t text, index_t place) { return place + 100 * text; }) | dot_product{} | causal{});
  expect(rope{}.at(positions{ids}) | dot_product{} | causal{});
}

// Another transform and another mask over the same keys.
TEST(kv_cache, serves_every_sentence_with_its_rows_and_score) {
  const auto in = random_inputs<float>(of);
  kv_cache<float> cache(rope{} | dot_product{} | causal{}, fits);
  cache.append(in.k, in.v);
  const auto other = rope{} | dot_product{} | alibi{} | sliding_window{100};
  EXPECT_TRUE(same_bits(forward(other, in.q, cache).output, forward(other, in.q, in.k, in.v).output));
  const std::string words = "kv_cache: the cache was made for other row parts or another score than the mechanism's";
  EXPECT_EQ(words_of<shape_error>([&] { forward(dot_product{} | causal{}, in.q, cache); }), words);
  EXPECT_EQ(words_of<shape_error>([&] { forward(rope{} | cosine{} | causal{}, in.q, cache); }), words);
  EXPECT_EQ(words_of<shape_error>([&] { forward(rope{.base = 5e5} | dot_product{} | causal{}, in.q, cache); }), words);
}

// Narrow tensors, and a cache of the same numbers: keys and values are rounded once, and then exact.
template <class Storage>
void expect_the_bits_of_narrow_tensors() {
  const auto in = random_inputs<float>(of);
  const tensor<Storage> k = in.k.cast<Storage>(), v = in.v.cast<Storage>();
  const auto mechanism = dot_product{} | causal{};
  kv_cache<Storage> cache(mechanism, fits);
  cache.append(in.k, in.v);
  EXPECT_TRUE(same_bits(forward(mechanism, in.q, cache).output, forward(mechanism, in.q, k, v).output));
  const auto last = some_tokens(in.q, 697, 3);
  EXPECT_TRUE(same_bits(forward(mechanism, last, cache).output, forward(mechanism, last, k, v).output));
}
TEST(kv_cache, of_16_bits_computes_as_tensors_of_16_bits_do) {
  expect_the_bits_of_narrow_tensors<Eigen::half>();
  expect_the_bits_of_narrow_tensors<Eigen::bfloat16>();
}

// A row has the same bits alone, with a few others and among all, whatever they see beside it.
template <class Storage>
void expect_rows_to_be_as_alone() {
  const auto in = random_inputs<float>(of);
  kv_cache<Storage> cache(rope{} | dot_product{} | causal{}, fits);
  cache.append(in.k, in.v);
  const auto check = [&](const auto& mechanism) {
    const auto all = forward(mechanism, in.q, cache).output;
    for (const index_t count : {1, 3, 20})
      for (const index_t first : {0, 60, 64, 130, 500, 680})
        EXPECT_TRUE(same_bits(forward(mechanism, some_tokens(in.q, first, count), cache, {.first_query = first}).output,
                              some_tokens(all, first, count)))
            << first << ", " << count;
  };
  check(rope{} | dot_product{} | causal{});
  check(rope{} | dot_product{} | alibi{} | sinks_and_window{.sinks = 3, .window = 90});
}
TEST(kv_cache, rows_have_the_bits_that_they_have_alone) {
  expect_rows_to_be_as_alone<float>();
  expect_rows_to_be_as_alone<Eigen::bfloat16>();
  expect_rows_to_be_as_alone<quantized<8>>();
}

// Of the output's root mean square: rows of normal numbers, and with ten-fold outliers in four channels, which double the logits.
TEST(kv_cache, of_8_bits_errs_by_a_hundredth) {
  const lengths wide{.heads = 4, .key_heads = 2, .queries = 500, .keys = 500, .channels = 128, .value_channels = 128};
  const auto mechanism = rope{} | dot_product{} | causal{};
  for (const float outliers : {1.f, 10.f}) {
    auto in = random_inputs<float>(wide);
    for (tensor<float>* each : {&in.k, &in.v})
      for (index_t h = 0; h < 2; ++h)
        for (index_t j = 0; j < 500; ++j)
          for (const index_t c : {3, 40, 41, 100}) (*each)(0, h, j, c) *= outliers;
    kv_cache<quantized<8>> cache(mechanism, {.key_heads = 2, .channels = 128, .value_channels = 128});
    cache.append(in.k, in.v);
    const auto exact = forward(mechanism, in.q, in.k, in.v).output;
    const tensor<float> zeros = 0.f * exact;
    const double error =
        root_mean_square_difference(forward(mechanism, in.q, cache).output, exact) / root_mean_square_difference(exact, zeros);
    EXPECT_LT(error, outliers == 1 ? 0.01 : 0.012) << outliers;
    RecordProperty("error " + std::to_string(int(outliers)), std::to_string(error));
  }
}

TEST(kv_cache, of_8_bits_stores_rows_next_to_nothing_as_zeros) {
  auto in = random_inputs<float>(of);
  in.v = in.v * 1e-39f;
  kv_cache<quantized<8>> cache(dot_product{} | causal{}, fits);
  cache.append(in.k, in.v);
  const auto got = forward(dot_product{} | causal{}, in.q, cache).output;
  for (index_t i = 0; i < got.size(); ++i) ASSERT_EQ(got.data()[i], 0);
}

TEST(kv_cache, of_8_bits_never_hides_what_is_not_a_number) {
  auto in = random_inputs<float>(of);
  in.v(0, 0, 300, 5) = std::numeric_limits<float>::quiet_NaN();
  in.k(0, 1, 400, 3) = std::numeric_limits<float>::infinity();
  kv_cache<quantized<8>> cache(dot_product{} | causal{}, fits);
  cache.append(in.k, in.v);
  const auto got = forward(dot_product{} | causal{}, in.q, cache).output;
  EXPECT_FALSE(std::isnan(got(0, 0, 299, 5)) || std::isnan(got(0, 2, 399, 0)));
  EXPECT_TRUE(std::isnan(got(0, 0, 300, 5)) && std::isnan(got(0, 2, 400, 0)));
}

// Texts grow apart, are cut, erased and copied at random; a plain copy of what each holds knows what is right.
template <class Storage, class T>
void expect_a_model_to_agree(unsigned seed) {
  const auto mechanism = rope{} | dot_product{} | alibi{} | causal{};
  struct plain {
    std::vector<tensor<T>> k, v;
  };
  const auto joined = [](const std::vector<tensor<T>>& parts, index_t tokens) {
    tensor<T> all(1, 2, tokens, parts[0].dimension(3));
    for (index_t j = 0; j < tokens; ++j)
      for (index_t h = 0; h < 2; ++h)
        for (index_t c = 0; c < all.dimension(3); ++c) all(0, h, j, c) = parts[std::size_t(j)](0, h, 0, c);
    return all;
  };
  cache_shape shape = fits;
  shape.texts = 3;
  std::vector<kv_cache<Storage>> caches{{mechanism, shape}};
  std::vector<std::vector<plain>> models{std::vector<plain>(3)};
  std::mt19937 random(seed);
  const auto below = [&](index_t n) { return index_t(random() % std::uint64_t(n)); };
  for (int step = 0; step < 60; ++step) {
    const std::size_t c = std::size_t(below(index_t(caches.size())));
    const index_t text = below(3);
    plain& model = models[c][std::size_t(text)];
    const index_t held = index_t(model.k.size());
    const index_t what = below(11);
    if (what == 10) {
      const index_t from = below(3);
      caches[c].copy(from, text);
      model = plain(models[c][std::size_t(from)]);
    } else if (what < 6) {
      const auto in = random_inputs<T>(
          {.key_heads = 2, .keys = 1 + below(what < 3 ? 3 : 150), .channels = 20, .value_channels = 9}, seed + unsigned(step));
      caches[c].append(text, in.k, in.v);
      for (index_t j = 0; j < in.k.dimension(2); ++j)
        model.k.push_back(some_tokens(in.k, j, 1)), model.v.push_back(some_tokens(in.v, j, 1));
    } else if (what < 8) {
      const index_t length = below(held + 1);
      caches[c].truncate(text, length);
      model.k.resize(std::size_t(length)), model.v.resize(std::size_t(length));
    } else if (what == 8) {
      caches[c].erase(text);
      model = {};
    } else if (caches.size() < 4) {
      auto copy = caches[c];
      caches.push_back(std::move(copy)), models.push_back(models[c]);
    } else {
      caches[0] = caches[c], models[0] = models[c];
    }
    for (std::size_t each = 0; each < caches.size(); ++each) {
      const auto q = random_inputs<T>({.batch = 3, .heads = 4, .queries = 1, .channels = 20}, 9).q;
      const auto got = forward(mechanism, q, caches[each]);
      for (index_t t = 0; t < 3; ++t) {
        const plain& own = models[each][std::size_t(t)];
        const index_t tokens = index_t(own.k.size());
        ASSERT_EQ(caches[each].length(t), tokens);
        if (tokens == 0) continue;
        const tensor<T> query = q.slice(Eigen::array<index_t, 4>{t, 0, 0, 0}, Eigen::array<index_t, 4>{1, 4, 1, 20});
        const auto alone = forward(mechanism, query, joined(own.k, tokens), joined(own.v, tokens)).output;
        for (index_t h = 0; h < 4; ++h)
          for (index_t channel = 0; channel < 9; ++channel)
            ASSERT_EQ(got.output(t, h, 0, channel), alone(0, h, 0, channel)) << "seed " << seed << ", step " << step;
      }
    }
  }
}
TEST(kv_cache, agrees_with_a_plain_copy_of_what_it_holds) {
  for (const unsigned seed : {1u, 2u, 3u}) expect_a_model_to_agree<float, float>(seed);
  expect_a_model_to_agree<double, double>(4);
}

TEST(kv_cache, copies_share_pages_until_one_writes) {
  const auto in = random_inputs<float>(of);
  const auto mechanism = rope{} | dot_product{} | causal{};
  kv_cache<float> cache(mechanism, fits);
  cache.append(in.k, in.v);
  const auto before = forward(mechanism, in.q, cache).output;
  auto other = cache;
  other.truncate(650);
  other.append(some_tokens(in.k, 0, 60), some_tokens(in.v, 0, 60));
  EXPECT_EQ(cache.length(), 700);
  EXPECT_EQ(other.length(), 710);
  EXPECT_TRUE(same_bits(forward(mechanism, in.q, cache).output, before));
}

// One prompt and many continuations of it, of which some share what others do not: bits of each alone, and the memory of one prompt.
TEST(kv_cache, holds_one_prompt_for_many_continuations) {
  const index_t texts = 40;
  const auto in = random_inputs<float>(of);
  const auto q = random_inputs<float>({.batch = texts, .heads = 4, .queries = 2, .channels = 20}, 7).q;
  cache_shape shape = fits;
  shape.texts = texts;
  kv_cache<float> all(turned, shape), prompt(turned, fits);
  prompt.append(some_tokens(in.k, 0, 600), some_tokens(in.v, 0, 600));
  all.append(0, some_tokens(in.k, 0, 600), some_tokens(in.v, 0, 600));
  const index_t of_prompt = all.bytes();
  for (index_t t = 1; t < texts; ++t) all.copy(0, t);
  EXPECT_EQ(all.bytes(), of_prompt);
  for (index_t t = 0; t < texts; ++t)
    if (t != 9) all.append(t, some_tokens(in.k, t, 1 + t), some_tokens(in.v, t, 1 + t));
  EXPECT_LE(all.bytes(), of_prompt + texts * (of_prompt / 5));
  Eigen::ThreadPool pool(2);
  const auto check = [&](const auto& mechanism) {
    const auto together = forward(mechanism, q, all);
    EXPECT_TRUE(same_bits(forward(Eigen::ThreadPoolDevice(&pool, 2), mechanism, q, all).output, together.output));
    for (index_t t = 0; t < texts; ++t) {
      kv_cache<float> alone = prompt;
      if (t != 9) alone.append(some_tokens(in.k, t, 1 + t), some_tokens(in.v, t, 1 + t));
      const tensor<float> own = q.slice(Eigen::array<index_t, 4>{t, 0, 0, 0}, Eigen::array<index_t, 4>{1, 4, 2, 20});
      const tensor<float> got = together.output.slice(Eigen::array<index_t, 4>{t, 0, 0, 0}, Eigen::array<index_t, 4>{1, 4, 2, 9});
      EXPECT_TRUE(same_bits(forward(mechanism, own, alone).output, got)) << t;
    }
  };
  check(turned);
  check(rms_normalize{} | rope{} | dot_product{} | by_distance{[](index_t t) { return -0.01 * double(t); }} |
        sliding_window{300});
}

// Of neighbours with one prompt, one that was cut before the tiles that the others share.
TEST(kv_cache, holds_one_prompt_for_texts_of_any_length) {
  const auto in =
      random_inputs<float>({.heads = 4, .key_heads = 2, .queries = 1, .keys = 1300, .channels = 20, .value_channels = 9});
  const auto q = random_inputs<float>({.batch = 5, .heads = 4, .queries = 1, .channels = 20}, 7).q;
  cache_shape shape = fits;
  shape.texts = 5;
  const auto mechanism = rope{} | dot_product{} | causal{};
  kv_cache<float> all(mechanism, shape);
  all.append(0, in.k, in.v);
  for (index_t t = 1; t < 5; ++t) all.copy(0, t);
  all.truncate(1, 100), all.truncate(3, 0), all.truncate(4, 600);
  const auto got = forward(mechanism, q, all).output;
  for (const index_t t : {0, 1, 2, 4}) {
    const tensor<float> own = q.slice(Eigen::array<index_t, 4>{t, 0, 0, 0}, Eigen::array<index_t, 4>{1, 4, 1, 20});
    const auto alone = forward(mechanism, own, some_tokens(in.k, 0, all.length(t)), some_tokens(in.v, 0, all.length(t))).output;
    for (index_t h = 0; h < 4; ++h)
      for (index_t c = 0; c < 9; ++c) ASSERT_EQ(got(t, h, 0, c), alone(0, h, 0, c)) << t;
  }
}

// A score of one's own that tells queries from keys sees rows as it does over tensors, whatever the storage turns.
struct weighted_product : dot_product {
  template <class T>
  void query(std::span<T> row) const {
    for (std::size_t c = 0; c < row.size(); ++c) row[c] *= T(1 + c % 3);
  }
};
TEST(kv_cache, of_8_bits_computes_scores_of_ones_own) {
  const auto in = random_inputs<float>(of);
  const auto mechanism = weighted_product{} | causal{};
  kv_cache<quantized<8>> cache(mechanism, fits);
  cache.append(in.k, in.v);
  EXPECT_LT(worst_difference(forward(mechanism, in.q, cache).output, forward(mechanism, in.q, in.k, in.v).output), 0.2);
}

TEST(kv_cache, copies_may_be_used_by_two_threads) {
  const auto in = random_inputs<float>(of);
  kv_cache<float> one(turned, fits);
  one.append(in.k, in.v);
  auto other = one;
  tensor<float> of_one, of_other;
  const auto work = [&](kv_cache<float>& cache, tensor<float>& output) {
    for (index_t i = 0; i < 70; ++i) cache.append(some_tokens(in.k, i, 1), some_tokens(in.v, i, 1));
    output = forward(turned, some_tokens(in.q, 0, 70), cache).output;
  };
  std::thread second([&] { work(other, of_other); });
  work(one, of_one);
  second.join();
  EXPECT_TRUE(same_bits(of_one, of_other));
}

TEST(kv_cache, has_the_same_bits_on_any_device) {
  const auto in = random_inputs<float>(of);
  kv_cache<float> cache(turned, fits);
  cache.append(in.k, in.v);
  Eigen::ThreadPool pool(3);
  const Eigen::ThreadPoolDevice device(&pool, 3);
  kv_cache<float> other(turned, fits);
  other.append(device, some_tokens(in.k, 0, 333), some_tokens(in.v, 0, 333));
  other.append(device, 0, some_tokens(in.k, 333, 367), some_tokens(in.v, 333, 367));
  for (const index_t queries : {1, 20, 700}) {
    const auto q = some_tokens(in.q, 700 - queries, queries);
    const auto alone = forward(turned, q, cache);
    EXPECT_TRUE(same_bits(forward(device, turned, q, cache).output, alone.output));
    EXPECT_TRUE(same_bits(forward(turned, q, other).output, alone.output));
    tensor<float> output(1, 4, queries, 9);
    Eigen::Tensor<float, 3, Eigen::RowMajor> sums(1, 4, queries);
    forward_into(device, turned, q, cache, output, sums);
    EXPECT_TRUE(same_bits(output, alone.output) && same_bits(sums, alone.log_sum_exp));
    output.setZero(), sums.setZero();
    const view<float> written{output.data(), {1, 4, queries, 9}, {36 * queries, 9 * queries, 9, 1}};
    const view<float> sums_written{sums.data(), {1, 4, queries, 1}, {4 * queries, queries, 1, 1}};
    forward_into(device, turned, q, cache, written, sums_written);
    EXPECT_TRUE(same_bits(output, alone.output) && same_bits(sums, alone.log_sum_exp));
    output.setZero();
    forward_into(device, turned, q, cache, written);
    EXPECT_TRUE(same_bits(output, alone.output));
    forward_into(turned, q, cache, output);
    EXPECT_TRUE(same_bits(output, alone.output));
  }
}

// Queries may stand elsewhere than at the end, and texts may have fewer of them.
TEST(kv_cache, is_asked_at_any_place) {
  const auto in = random_inputs<float>(of);
  kv_cache<float> cache(turned, fits);
  cache.append(in.k, in.v);
  const auto at_once = forward(turned, in.q, in.k, in.v).output;
  EXPECT_TRUE(
      same_bits(forward(turned, some_tokens(in.q, 300, 10), cache, {.first_query = 300}).output, some_tokens(at_once, 300, 10)));
  const std::vector<index_t> counts{4};
  const auto got = forward(turned, some_tokens(in.q, 696, 4), cache, {.query_lengths = counts}).output;
  EXPECT_TRUE(same_bits(got, some_tokens(at_once, 696, 4)));
}

// What no later row sees is given back, and a steady window takes no more memory however long the text.
template <class Mask>
void expect_steady(const Mask& mask, index_t pages) {
  const auto mechanism = rope{} | dot_product{} | mask;
  const auto in = random_inputs<float>(of);
  const auto at_once = forward(mechanism, in.q, in.k, in.v).output;
  kv_cache<float> cache(mechanism, fits);
  cache.append(some_tokens(in.k, 0, 1), some_tokens(in.v, 0, 1));
  const index_t page = cache.bytes();
  for (index_t i = 1; i < 700; ++i) {
    cache.append(some_tokens(in.k, i, 1), some_tokens(in.v, i, 1));
    ASSERT_LE(cache.bytes(), pages * page) << i;
    if (i % 50 == 49) {
      ASSERT_TRUE(same_bits(forward(mechanism, some_tokens(in.q, i, 1), cache).output, some_tokens(at_once, i, 1))) << i;
    }
  }
  EXPECT_NE(words_of<shape_error>([&] { forward(rope{} | dot_product{} | causal{}, some_tokens(in.q, 0, 1), cache); }), "");
  EXPECT_NE(words_of<shape_error>([&] { cache.truncate(350); }), "");
  EXPECT_EQ(cache.length(), 700);
}
TEST(kv_cache, gives_back_what_no_later_row_sees) {
  expect_steady(sinks_and_window{.sinks = 4, .window = 64}, 3);
  expect_steady(sliding_window{.before = 120}, 2);
  expect_steady(chunks{128}, 2);
}

// Of the page that the next token is written to, too, no row need see a key.
TEST(kv_cache, goes_on_behind_keys_that_no_later_row_sees) {
  const auto mechanism = rope{} | dot_product{} | first_keys{4} | causal{};
  const auto in = random_inputs<float>(of);
  const auto at_once = forward(mechanism, in.q, in.k, in.v).output;
  kv_cache<float> cache(mechanism, fits);
  for (index_t first = 0; const index_t count : {200, 1, 100, 300, 99}) {
    cache.append(some_tokens(in.k, first, count), some_tokens(in.v, first, count));
    cache.reserve(first + 300);
    ASSERT_TRUE(same_bits(forward(mechanism, some_tokens(in.q, first, count), cache).output, some_tokens(at_once, first, count)));
    first += count;
  }
  EXPECT_EQ(words_of<shape_error>([&] { cache.truncate(300); }),
            "kv_cache: a text cannot be cut to 300 tokens: what the next would see or be written behind was given back");
  cache.truncate(128);
  cache.append(some_tokens(in.k, 128, 1), some_tokens(in.v, 128, 1));
  EXPECT_TRUE(same_bits(forward(mechanism, some_tokens(in.q, 128, 1), cache).output, some_tokens(at_once, 128, 1)));
}

// The last query may be asked again.
TEST(kv_cache, gives_nothing_back_for_no_tokens) {
  const auto mechanism = dot_product{} | sliding_window{.before = 128} | causal{};
  const auto in = random_inputs<float>(of);
  kv_cache<float> cache(mechanism, fits);
  for (index_t first = 0; const index_t count : {255, 1, 0}) {
    cache.append(some_tokens(in.k, first, count), some_tokens(in.v, first, count));
    first += count;
  }
  EXPECT_TRUE(same_bits(forward(mechanism, some_tokens(in.q, 255, 1), cache).output,
                        some_tokens(forward(mechanism, in.q, in.k, in.v).output, 255, 1)));
}

// Tables that end before the text does, and queries before their first row.
TEST(kv_cache, asks_row_parts_whether_they_can_turn_a_text) {
  const auto in = random_inputs<float>(of);
  const auto tables = normal<float>(1, 1, 400, 10, 5);
  const auto mechanism = rotary_tables(tables, tables) | dot_product{} | causal{};
  kv_cache<float> cache(mechanism, fits);
  cache.append(some_tokens(in.k, 0, 390), some_tokens(in.v, 0, 390));
  EXPECT_EQ(words_of<shape_error>([&] { cache.append(some_tokens(in.k, 390, 20), some_tokens(in.v, 390, 20)); }),
            "rotary_tables: keys are tokens 390 to 409 of the keys, and there are rows for 400");
  EXPECT_EQ(cache.length(), 390);
  EXPECT_EQ(words_of<shape_error>([&] { forward(mechanism, some_tokens(in.q, 0, 400), cache); }),
            "rotary_tables: queries of text 0 begin before its keys, at place -10, for which there is no row");
}

// Queries and keys of a cache are turned by its own row parts: others, after a training step, are not passed over in silence.
TEST(kv_cache, is_asked_with_the_gains_that_it_was_made_with) {
  const auto in = random_inputs<float>(of);
  const auto with = [](double gain) {
    return rms_normalize{.query_gain = std::vector<double>(20, gain)} | dot_product{} | causal{};
  };
  kv_cache<float> cache(with(2), fits);
  cache.append(in.k, in.v);
  EXPECT_TRUE(same_bits(forward(with(2), in.q, cache).output, forward(with(2), in.q, in.k, in.v).output));
  EXPECT_EQ(words_of<shape_error>([&] { forward(with(3), in.q, cache); }),
            "kv_cache: the cache was made for other row parts or another score than the mechanism's");
}

TEST(kv_cache, names_what_it_refuses_and_stays_as_it_was) {
  const auto in = random_inputs<float>(of);
  const auto mechanism = rope{} | dot_product{} | causal{};
  kv_cache<float> cache(mechanism, fits);
  cache.append(in.k, in.v);
  const auto words = [&](const auto& call) { return words_of<shape_error>(call); };
  const auto wide = random_inputs<float>({.batch = 2, .heads = 6, .key_heads = 3, .queries = 2, .keys = 3, .channels = 22});
  EXPECT_EQ(words([&] { cache.append(wide.k, wide.v); }), "key and cache differ in texts: 2 and 1");
  EXPECT_EQ(words([&] { cache.append(1, in.k, in.v); }), "kv_cache has 1 texts, and none of number 1");
  EXPECT_EQ(words([&] { cache.append(some_tokens(in.k, 0, 2), some_tokens(in.v, 0, 3)); }),
            "key and value differ in tokens: 2 and 3");
  EXPECT_EQ(words([&] { cache.append(in.v, in.v); }), "key and cache differ in channels: 9 and 20");
  EXPECT_EQ(words([&] { cache.copy(0, 1); }), "kv_cache has 1 texts, and none of number 1");
  EXPECT_EQ(words([&] { cache.reserve(-1); }), "kv_cache: room for -1 tokens");
  const index_t most = std::numeric_limits<index_t>::max();
  EXPECT_EQ(words([&] { cache.reserve(most); }), "kv_cache: room for 9223372036854775807 tokens");
  EXPECT_EQ(words([&] { kv_cache<float>(mechanism, {.key_heads = 1, .channels = 2, .value_channels = 2, .first_key = most}); }),
            "kv_cache: first_key must be at most 2305843009213693951, not 9223372036854775807");
  EXPECT_EQ(words([&] { cache.truncate(701); }), "kv_cache: a text of 700 tokens cannot be cut to 701");
  EXPECT_EQ(words([&] { forward(mechanism, in.v, cache); }), "query and cache differ in channels: 9 and 20");
  EXPECT_EQ(words([&] { forward(mechanism, in.q, cache, {.first_key = 1}); }),
            "placement: a cache knows its keys: of a call over one, first_query, query_lengths and all_keys may be said");
  EXPECT_EQ(words([&] { kv_cache<float>(mechanism, {.key_heads = 0, .channels = 2, .value_channels = 2}); }),
            "kv_cache: key_heads, channels, value_channels and texts must be at least 1, not 0, 2, 2 and 1");
  EXPECT_EQ(cache.length(), 700);
}

}  // namespace

#include <longspan/mechanism/seen_keys.hpp>

#include <gtest/gtest.h>

#include <array>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <random>
#include <tuple>
#include <vector>

#include <longspan/longspan.hpp>

#include "support/bound_of.hpp"
#include "support/tensors.hpp"

namespace {

using namespace longspan;
using namespace longspan::detail;
using namespace testing_support;

// How often each row was asked about: by text, head and position.
struct questions {
  std::map<std::array<index_t, 3>, int> asked;
  std::mutex one_at_a_time;

  void note(const query_row& row) {
    const std::lock_guard lock(one_at_a_time);
    ++asked[{row.batch, row.head, row.position}];
  }
  // Whether each of these rows was asked about once and no other was.
  void expect_once(index_t texts, index_t heads, interval positions) {
    EXPECT_EQ(index_t(asked.size()), texts * heads * positions.size());
    for (const auto& [row, times] : asked) {
      EXPECT_EQ(times, 1) << "text " << row[0] << ", head " << row[1] << ", position " << row[2];
      EXPECT_TRUE(row[0] < texts && row[1] < heads && positions.contains(row[2]));
    }
    asked.clear();
  }
};

template <bool ByPositionAlone>
struct counting {
  static constexpr bool by_position_alone = ByPositionAlone;
  std::shared_ptr<questions> all = std::make_shared<questions>();
  index_t window = 100'000;

  std::array<interval, 2> operator()(const query_row& row) const {
    all->note(row);
    EXPECT_EQ(row.seen, 0) << "n is what the masks decide";
    return {interval{0, 3}, {row.position - window, row.position + 1}};
  }
};

template <bool ByPositionAlone, class... Transforms>
void expect_one_question_a_row(const lengths& of, bool with_gradients, const Transforms&... transforms) {
  const counting<ByPositionAlone> first, second{.window = 40};
  const auto whole = (dot_product{} | ... | transforms) | first | causal{} | second;
  const index_t texts = ByPositionAlone ? 1 : of.batch, heads = ByPositionAlone ? 1 : of.heads;
  const interval positions{of.keys - of.queries, of.keys};
  const auto in = random_inputs<float>(of);
  Eigen::ThreadPool pool(3);
  const auto kept = forward(Eigen::ThreadPoolDevice(&pool, 3), whole, in.q, in.k, in.v);
  first.all->expect_once(texts, heads, positions), second.all->expect_once(texts, heads, positions);
  if (!with_gradients) return;
  backward_with_parameters(Eigen::ThreadPoolDevice(&pool, 3), whole, in.q, in.k, in.v, kept, kept.output);
  first.all->expect_once(texts, heads, positions), second.all->expect_once(texts, heads, positions);
}

template <bool ByPositionAlone>
void expect_one_question_a_row() {
  const lengths prefill{.batch = 2, .heads = 4, .key_heads = 2, .queries = 150, .keys = 700};
  expect_one_question_a_row<ByPositionAlone>(prefill, true);
  expect_one_question_a_row<ByPositionAlone>(prefill, true, temperature{2}, scale_invariant{}, softcap{30}, alibi{});
  const lengths few_rows{.batch = 2, .heads = 4, .key_heads = 2, .queries = 5, .keys = 700};
  expect_one_question_a_row<ByPositionAlone>(few_rows, true, temperature{2}, scale_invariant{}, softcap{30}, alibi{});
  const lengths decoding{.heads = 4, .key_heads = 2, .queries = 1, .keys = 32768};
  expect_one_question_a_row<ByPositionAlone>(decoding, false, temperature{2}, scale_invariant{}, softcap{30}, alibi{});
}

TEST(seen_keys, ask_each_mask_once_for_every_row) { expect_one_question_a_row<false>(); }
TEST(seen_keys, ask_masks_by_position_alone_once_for_every_position) { expect_one_question_a_row<true>(); }

// One mask that looks at more than the position is enough to ask all of them for every row.
TEST(seen_keys, ask_every_mask_for_every_row_where_one_looks_at_more) {
  const counting<true> alike;
  const counting<false> each;
  const auto in = random_inputs<float>({.batch = 2, .heads = 2, .key_heads = 1, .queries = 60, .keys = 70});
  forward(dot_product{} | alike | each, in.q, in.k, in.v);
  alike.all->expect_once(2, 2, {10, 70}), each.all->expect_once(2, 2, {10, 70});
}

// The reference asks no more often.
TEST(seen_keys, ask_once_for_the_reference_too) {
  const counting<false> each;
  const auto in = random_inputs<float>({.batch = 2, .heads = 2, .key_heads = 1, .queries = 60, .keys = 70});
  reference::attention(dot_product{} | scale_invariant{} | each, in.q, in.k, in.v);
  each.all->expect_once(2, 2, {10, 70});
}

// What a row takes.
template <class... Masks>
constexpr std::size_t bytes_of_a_row = sizeof(typename seen_keys<std::tuple<Masks...>>::answer);
struct three_runs {
  std::array<interval, 3> operator()(const query_row& row) const {
    const index_t p = row.position;
    return {interval{p - 3, p + 1}, {p / 2 - 5, p / 2 + 1}, {0, 2 + row.head}};
  }
};
static_assert(bytes_of_a_row<causal> == 16 && bytes_of_a_row<causal, sliding_window, prefix> == 16);
static_assert(bytes_of_a_row<sinks_and_window> == 32 && bytes_of_a_row<causal, sinks_and_window, prefix> == 32);
static_assert(bytes_of_a_row<three_runs> == 48 && bytes_of_a_row<three_runs, causal> == 48);

// Keys that are data, other ones for each row, head and text: about one of `sparse`, or none.
struct random_keys {
  unsigned sparse;

  struct set {
    std::vector<std::uint64_t> words;
    interval hull() const {
      interval all;
      for (index_t w = 0; w < index_t(words.size()); ++w)
        if (const std::uint64_t bits = words[std::size_t(w)]; bits != 0)
          all = detail::hull(all, {64 * w + std::countr_zero(bits), 64 * (w + 1) - std::countl_zero(bits)});
      return all;
    }
    std::uint64_t bits(index_t key) const {
      const auto word = [&](index_t w) { return w < index_t(words.size()) ? words[std::size_t(w)] : 0; };
      return key % 64 == 0 ? word(key / 64) : word(key / 64) >> key % 64 | word(key / 64 + 1) << (64 - key % 64);
    }
    index_t count() const {
      index_t keys = 0;
      for (const std::uint64_t bits : words) keys += std::popcount(bits);
      return keys;
    }
  };
  set operator()(const query_row& row) const {
    std::mt19937 generator(unsigned(1000 * row.batch + 100 * row.head + row.position + 500));
    set made{std::vector<std::uint64_t>(std::size_t(row.keys + 63) / 64)};
    const auto limit = row.position % 7 == 0 ? 0 : row.keys;
    for (index_t j = 0; j < limit; ++j)
      if (generator() % sparse == 0) made.words[std::size_t(j / 64)] |= std::uint64_t(1) << j % 64;
    return made;
  }
};

// n, what is at hand, what a key head needs and which distances occur: against the masks' own answers, key by key.
template <class... Masks>
void expect_seen(const shapes& of, const Masks&... masks) {
  std::vector<seen_keys<std::tuple<Masks...>>> texts;
  for (const text& each : texts_of(of, {})) texts.emplace_back(std::tuple(masks...), of, each);
  interval distances, possible;
  std::map<std::array<index_t, 2>, std::vector<bool>> needed;
  for (index_t b = 0; b < of.batch; ++b)
    for (index_t h = 0; h < of.heads; ++h)
      for (index_t i = 0; i < of.queries; ++i) {
        const auto& seen = texts[std::size_t(b)];
        const query_row row = place_of_row(of, texts_of(of, {})[std::size_t(b)], h, i);
        const std::tuple answers(visible(masks, row)...);
        const auto sees = [&](index_t j) {
          return std::apply([&](const auto&... each) { return (contains(each, j) && ...); }, answers);
        };
        auto& some = needed[{b, h / of.group()}];
        some.resize(std::size_t(of.keys));
        index_t n = 0;
        for (index_t j = 0; j < of.all_keys; ++j) n += sees(j);
        ASSERT_EQ(seen.count(h, i), n);
        for (index_t j = 0; j < of.keys; ++j) {
          const index_t key = of.first_key + j, t = row.position - key;
          ASSERT_EQ(contains(seen.keys_of(h, i), j), sees(key)) << "row " << i << " key " << j;
          possible = hull(possible, {t, t + 1});
          if (!sees(key)) continue;
          some[std::size_t(j)] = true;
          distances = hull(distances, {t, t + 1});
        }
      }
  constexpr index_t padding = 256;
  const reach got = distances_of(texts, padding, [](const auto& each) { return each; });
  EXPECT_EQ(got.seen, distances);
  EXPECT_TRUE(possible.empty() || (got.touched.first <= possible.first - padding && possible.last <= got.touched.last));
  for (const auto& [head, keys] : needed)
    for (index_t first = 0; first < of.keys; first += 128)
      for (const index_t size : {index_t(64), index_t(128), index_t(512), of.keys}) {
        const interval some{first, std::min(first + size, of.keys)};
        interval panels, exact;
        for (index_t j = some.first; j < some.last; ++j)
          if (keys[std::size_t(j)])
            panels = hull(panels, {round_down(j, panel_keys), round_down(j, panel_keys) + panel_keys}),
            exact = hull(exact, {j, j + 1});
        const interval answer = texts[std::size_t(head[0])].needed(head[1], some);
        EXPECT_EQ(answer.empty(), exact.empty());
        if (!exact.empty()) {
          EXPECT_TRUE(answer.first <= exact.first && exact.last <= answer.last) << "holds what any row sees";
          EXPECT_TRUE(panels.first <= answer.first && answer.last <= panels.last) << "and no panel beyond";
        }
      }
}

using any_mask = std::function<interval(const query_row&)>;

TEST(seen_keys, hold_what_the_masks_say_of_every_row) {
  for (const index_t first_query : {-7, 0, 4, 30, 640})
    for (const index_t first_key : {0, 5, 64}) {
      const shapes of{.batch = 2,
                      .heads = 4,
                      .key_heads = 2,
                      .queries = 40,
                      .keys = 600,
                      .channels = 2,
                      .first_query = first_query,
                      .first_key = first_key,
                      .all_keys = 680};
      expect_seen(of, causal{}), expect_seen(of, everything{}), expect_seen(of, sliding_window{2, 1}), expect_seen(of, prefix{3});
      expect_seen(of, sinks_and_window{.sinks = 4, .window = 20}, sliding_window{.before = 90, .after = 3});
      expect_seen(of, any_mask(causal{})), expect_seen(of, three_runs{}, causal{}), expect_seen(of, causal{}, three_runs{});
      expect_seen(of, random_keys{2}), expect_seen(of, random_keys{40}, three_runs{}, causal{});
      expect_seen(of, causal{}, random_keys{300});
    }
}

// By brute force over rows and keys, and what a tile may touch beside them.
TEST(seen_keys, hold_the_distances_that_some_row_sees) {
  for (const any_mask& m : {any_mask(causal{}), any_mask(everything{}), any_mask(sliding_window{2, 1}), any_mask(prefix{3})})
    for (const index_t first_query : {-7, 0, 4, 30})
      for (const index_t first_key : {0, 5}) {
        const shapes of{.batch = 1,
                        .heads = 1,
                        .key_heads = 1,
                        .queries = 6,
                        .keys = 4,
                        .channels = 2,
                        .first_query = first_query,
                        .first_key = first_key,
                        .all_keys = 12};
        interval seen, possible;
        for (index_t i = first_query; i < first_query + 6; ++i)
          for (index_t j = first_key; j < first_key + 4; ++j) {
            possible = hull(possible, {i - j, i - j + 1});
            if (contains(visible(m, query_row{.position = i, .keys = 12}), j)) seen = hull(seen, {i - j, i - j + 1});
          }
        const reach got = testing_support::bound_of(dot_product{} | m, of).seen->distances(16);
        EXPECT_EQ(got.seen, seen) << first_query << ' ' << first_key;
        EXPECT_TRUE(got.touched.first <= possible.first - 16 && possible.last <= got.touched.last)
            << first_query << ' ' << first_key;
      }
}

TEST(seen_keys, of_no_rows_and_of_no_keys_see_nothing) {
  expect_seen({.batch = 1, .heads = 2, .key_heads = 1, .queries = 0, .keys = 9, .all_keys = 9}, causal{});
  expect_seen({.batch = 1, .heads = 2, .key_heads = 1, .queries = 3, .keys = 0, .all_keys = 9}, three_runs{});
  expect_seen({.batch = 0, .heads = 2, .key_heads = 1, .queries = 3, .keys = 4, .all_keys = 9}, three_runs{});
}

// An answer may refer to what the mask itself holds.
struct owns_its_bits {
  struct answer {
    const std::vector<std::uint64_t>* words;
    interval hull() const { return {0, 64 * index_t(words->size())}; }
    std::uint64_t bits(index_t key) const {
      std::uint64_t all = 0;
      for (index_t b = 0; b < 64; ++b)
        if (hull().contains(key + b)) all |= ((*words)[std::size_t(key + b) / 64] >> (key + b) % 64 & 1) << b;
      return all;
    }
    index_t count() const { return 32 * index_t(words->size()); }
  };
  std::vector<std::uint64_t> words;
  answer operator()(const query_row&) const { return {&words}; }
};

TEST(seen_keys, answers_may_refer_to_the_mask) {
  const auto in = random_inputs<float>({.queries = 5, .keys = 128});
  const auto mechanism = dot_product{} | owns_its_bits{{0x5555'5555'5555'5555, 0xaaaa'aaaa'aaaa'aaaa}};
  EXPECT_LT(
      worst_difference(forward(mechanism, in.q, in.k, in.v).output, reference::attention(mechanism, in.q, in.k, in.v).output),
      1e-5);
}

}  // namespace

#include <longspan/mechanism/bind.hpp>

#include <gtest/gtest.h>

#include <array>
#include <vector>

#include <longspan/longspan.hpp>

#include "support/bound_of.hpp"

namespace {

using namespace longspan;
using namespace longspan::detail;
using testing_support::bound_of;

// Four queries at the end of ten keys, of which the call holds the keys from 3 to 9.
const shapes part_of_the_keys{.batch = 2,
                              .heads = 4,
                              .key_heads = 2,
                              .queries = 4,
                              .keys = 6,
                              .channels = 8,
                              .value_channels = 8,
                              .first_query = 6,
                              .first_key = 3,
                              .all_keys = 10};
shapes with_first_key(index_t first_key, index_t keys) {
  shapes lengths = part_of_the_keys;
  lengths.first_key = first_key, lengths.keys = keys;
  return lengths;
}

struct own_runs {
  std::array<interval, 3> operator()(const query_row& row) const {
    return {interval{row.position, row.position + 1}, {7, 4}, {0, 2}};
  }
};

TEST(bound, tells_a_row_all_about_itself) {
  const auto mechanism = bound_of(dot_product{} | causal{}, part_of_the_keys, 1);
  const query_row row = mechanism.row(3, 2);
  EXPECT_EQ(row.position, 8);
  EXPECT_EQ(row.keys, 10);
  EXPECT_EQ(row.head, 3);
  EXPECT_EQ(row.heads, 4);
  EXPECT_EQ(row.batch, 1);
  EXPECT_EQ(row.channels, 8);
}

// Queries count from 6, keys from 3: the query at place 8 is beside the fifth key at hand.
TEST(bound, tells_row_parts_about_a_token) {
  const auto mechanism = bound_of(dot_product{} | causal{}, part_of_the_keys, 1);
  const token query = mechanism.query_token(mechanism.row(3, 2)), key = mechanism.key_token(0, 5);
  EXPECT_TRUE(query.is_query());
  EXPECT_FALSE(key.is_query());
  const auto numbers = [](const token& of) { return std::array{of.place, of.head, of.batch, of.text, of.number}; };
  EXPECT_EQ(numbers(query), (std::array<index_t, 5>{8, 3, 1, 1, 5}));
  EXPECT_EQ(numbers(key), (std::array<index_t, 5>{8, 0, 1, 1, 5}));
}

// n counts the keys of the whole that the row sees, also those that are not of this call.
TEST(bound, counts_the_keys_that_a_row_sees_after_all_masks) {
  for (index_t i = 0; i < 4; ++i) {
    const index_t position = 6 + i;
    EXPECT_EQ(bound_of(dot_product{} | everything{}, part_of_the_keys).row(0, i).seen, 10);
    EXPECT_EQ(bound_of(dot_product{} | causal{}, part_of_the_keys).row(0, i).seen, position + 1);
    EXPECT_EQ(bound_of(dot_product{} | causal{} | sliding_window{2, 5}, part_of_the_keys).row(0, i).seen, 3);
    EXPECT_EQ(bound_of(dot_product{} | own_runs{} | sinks_and_window{.sinks = 1, .window = 1}, part_of_the_keys).row(0, i).seen,
              2);
  }
}

// Of the keys at hand, which count from the first of the tensor.
TEST(bound, sees_what_every_mask_lets_it_see) {
  for (const index_t first_key : {0, 3})
    for (const index_t keys : {0, 1, 5, 7}) {
      shapes lengths = with_first_key(first_key, keys);
      lengths.first_query = -3, lengths.queries = 17;
      const auto mechanism =
          bound_of(dot_product{} | own_runs{} | sinks_and_window{.sinks = 2, .window = 3} | prefix{8}, lengths);
      for (index_t i = 0; i < lengths.queries; ++i) {
        const query_row row{.position = i - 3, .keys = 10};
        for (index_t j = -1; j < 12; ++j) {
          const bool wanted = contains(visible(own_runs{}, row), j) && contains(visible(sinks_and_window{2, 3}, row), j) &&
                              contains(visible(prefix{8}, row), j) && lengths.key_positions().contains(j);
          EXPECT_EQ(contains(mechanism.seen->keys_of(2, i), j - first_key), wanted)
              << "position " << row.position << ", key " << j;
        }
      }
    }
}

TEST(bound, sees_nothing_before_every_key) {
  shapes lengths = part_of_the_keys;
  lengths.first_query = -2;
  const auto mechanism = bound_of(dot_product{} | causal{}, lengths);
  EXPECT_EQ(mechanism.row(0, 0).seen, 0);
  EXPECT_EQ(mechanism.row(0, 1).seen, 0);
  EXPECT_EQ(mechanism.row(0, 2).seen, 1);
}

// 2 ((s + 1) 3) and not 2 (3 s) + 1.
TEST(bound, transforms_in_the_order_written) {
  const auto add = by_distance{[](index_t) { return 1.0; }};
  const auto mechanism = bound_of(dot_product{} | add | temperature{3} | temperature{2} | causal{}, part_of_the_keys);
  EXPECT_EQ(mechanism.transforms.of_scores(mechanism.row(0, 0))(5.0, keys_under<double>{0, 6}), 36);
}

// What multiplies the whole row goes into the query, up to the first part that does not.
TEST(bound, folds_the_temperatures_at_the_head_into_one_factor) {
  const auto add = by_distance{[](index_t) { return 1.0; }};
  const auto mechanism = bound_of(
      dot_product{.scale = 0.5} | temperature{3} | ss_max{.scale = 2, .all_keys = true} | add | temperature{2} | causal{},
      part_of_the_keys);
  const auto logits = mechanism.transforms.of_products(mechanism.row(0, 0));
  EXPECT_DOUBLE_EQ(logits.factor.value, 0.5 * 3 * 2 * std::log(10.0));
  EXPECT_EQ(logits.function(5.0, keys_under<double>{0, 6}), 12);
  static_assert(std::is_same_v<decltype(bound_of(dot_product{} | temperature{3} | causal{}, part_of_the_keys)
                                            .transforms.of_products(query_row{})
                                            .function),
                               composed<>>);
}

static_assert(decltype(bound_of(dot_product{} | causal{}, part_of_the_keys))::keeps_keys);
static_assert(!decltype(bound_of(cosine{} | causal{}, part_of_the_keys))::keeps_keys);
static_assert(!decltype(bound_of(rope{} | dot_product{} | causal{}, part_of_the_keys))::keeps_keys);

struct add_position {
  template <class T>
  void turn(std::span<T> row, index_t position) const {
    row[0] += T(position);
  }
};
struct twice {
  template <class T>
  void turn(std::span<T> row, index_t) const {
    row[0] *= 2;
  }
};

TEST(bound, prepares_rows_in_the_order_written_and_leaves_the_scale_to_the_logits) {
  const auto mechanism = bound_of(add_position{} | twice{} | dot_product{.scale = 10} | causal{}, part_of_the_keys);
  std::vector<double> query{1}, key{1};
  mechanism.query(std::span(query), {.place = 4});
  mechanism.key(std::span(key), {.place = 4});
  EXPECT_EQ(query[0], 10);
  EXPECT_EQ(key[0], 10);
  EXPECT_EQ(mechanism.transforms.scale, 10);
  EXPECT_EQ(bound_of(cosine{} | causal{}, part_of_the_keys).transforms.scale, 1);
}

// The part that holds the first key that the row sees of the whole.
TEST(bound, counts_the_sink_in_one_part) {
  const sink each{{0.5, 1, 2, -3}};
  const auto logit = [&](const auto& mask, index_t first_key, index_t keys, index_t head, index_t query = 0) {
    return bound_of(dot_product{} | mask | each, with_first_key(first_key, keys)).sink_logit(head, query);
  };
  EXPECT_EQ(logit(causal{}, 0, 10, 0), 0.5);
  EXPECT_EQ(logit(causal{}, 0, 1, 3), -3);
  EXPECT_EQ(logit(causal{}, 3, 7, 0), std::nullopt);
  EXPECT_EQ(logit(causal{}, 0, 0, 0), std::nullopt);
  // Query 6 sees the keys from 4 on, query 9 those from 7 on.
  EXPECT_EQ(logit(sliding_window{2}, 0, 4, 1), std::nullopt);
  EXPECT_EQ(logit(sliding_window{2}, 4, 6, 1), 1);
  EXPECT_EQ(logit(sliding_window{2}, 5, 5, 1), std::nullopt);
  EXPECT_EQ(logit(sliding_window{2}, 7, 3, 1, 3), 1);
  EXPECT_EQ(bound_of(dot_product{} | causal{}, with_first_key(0, 10)).sink_logit(0, 0), std::nullopt);
}

// Then the sink is all there is: the part with key 0 counts it, or, where there are no keys, any that begins with it.
TEST(bound, counts_the_sink_of_a_row_that_sees_nothing_with_key_zero) {
  shapes lengths = with_first_key(0, 3);
  lengths.first_query = -4;
  const auto whole = dot_product{} | causal{} | sink{{0.5, 1, 2, -3}};
  EXPECT_EQ(bound_of(whole, lengths).sink_logit(2, 0), 2);
  lengths.first_key = 3;
  EXPECT_EQ(bound_of(whole, lengths).sink_logit(2, 0), std::nullopt);
  lengths.first_key = lengths.keys = lengths.all_keys = 0;
  EXPECT_EQ(bound_of(whole, lengths).sink_logit(2, 0), 2);
}

}  // namespace

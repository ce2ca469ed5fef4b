#include <longspan/transform/by_distance.hpp>

#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <mutex>

#include <longspan/longspan.hpp>

#include "support/logits.hpp"
#include "support/loss.hpp"
#include "support/tensors.hpp"

namespace {

using namespace longspan;
using namespace longspan::detail;
using namespace testing_support;

TEST(by_distance, takes_a_number_as_a_shift_and_a_pair_as_scale_and_shift) {
  const query_row row{.position = 9};
  EXPECT_EQ(logit(by_distance{[](index_t t) { return -0.5 * double(t); }}, row, 3, 2.0), 2 - 3);
  EXPECT_EQ(logit(by_distance{[](index_t t) { return -0.5f * float(t); }}, row, 3, 2.0), 2 - 3);
  EXPECT_EQ(logit(by_distance{[](index_t t) { return int(t); }}, row, 3, 2.0), 2 + 6);
  EXPECT_EQ(logit(by_distance{[](index_t t) { return affine{double(t), 1}; }}, row, 3, 2.0), 2 * 6 + 1);
  EXPECT_EQ(logit(by_distance{[](index_t t) { return double(t); }}, row, 12, 2.0), 2 - 3);
}

TEST(by_distance, has_a_slope) {
  expect_slopes(by_distance{[](index_t t) { return affine{1.0 + 0.1 * double(t), 0.3}; }}, {.position = 9});
  expect_slopes(by_distance{[](index_t t) { return 0.1 * double(t); }}, {.position = 9});
}

// Counts how often each distance is asked for, and answers with something that no other distance has.
struct asked {
  std::map<index_t, int> times;
  std::mutex asking;

  auto function() {
    return by_distance{[this](index_t t) {
      const std::lock_guard lock(asking);
      ++times[t];
      return affine{1 + 0.01 * double(t), std::sin(double(t))};
    }};
  }
};

struct scene {
  const char* name;
  lengths of;
  placement where;
};
const std::vector<scene> scenes{
    {"prefill", {.queries = 70, .keys = 70}, {}},
    {"decoding", {.queries = 1, .keys = 300}, {}},
    {"heads and batch", {.batch = 2, .heads = 4, .key_heads = 2, .queries = 9, .keys = 9}, {}},
    {"queries before the keys", {.queries = 40, .keys = 17}, {}},
    {"a part of the keys", {.queries = 33, .keys = 20}, {.first_query = 10, .first_key = 25, .all_keys = 64}},
    {"keys not yet reached", {.queries = 5, .keys = 20}, {.first_query = 3, .first_key = 30, .all_keys = 64}},
    {"no keys", {.queries = 3, .keys = 0}, {}}};

// Every mask of one interval, as one part: each kind of mask would otherwise compile a kernel of its own.
using any_mask = std::function<interval(const query_row&)>;
const std::map<const char*, any_mask> masks{{"causal", causal{}},
                                            {"everything", everything{}},
                                            {"window", sliding_window{3, 2}},
                                            {"the query alone", sliding_window{0}},
                                            {"prefix", prefix{4}},
                                            {"nothing", [](const query_row&) { return interval{}; }}};

// The distances that some row of the call sees.
template <class Mask>
interval seen(const Mask& m, const lengths& of, const placement& where) {
  const index_t all = where.all_keys.value_or(where.first_key + of.keys), first = where.first_query.value_or(all - of.queries);
  interval distances;
  for (index_t i = first; i < first + of.queries; ++i)
    for (index_t j = where.first_key; j < where.first_key + of.keys; ++j)
      if (contains(visible(m, query_row{.position = i, .keys = all}), j)) distances = hull(distances, {i - j, i - j + 1});
  return distances;
}

template <class T>
void expect_asked_once_for_what_is_seen(const scene& at, const char* mask_name, const any_mask& m) {
  asked by;
  const auto in = random_inputs<T>(at.of);
  const auto mechanism = dot_product{} | by.function() | m;
  const auto got = forward(mechanism, in.q, in.k, in.v, at.where);
  const interval distances = seen(m, at.of, at.where);
  EXPECT_EQ(index_t(by.times.size()), distances.size()) << at.name << ", " << mask_name;
  for (const auto& [t, times] : by.times)
    EXPECT_TRUE(distances.contains(t) && times == 1) << at.name << ", " << mask_name << ", distance " << t;
  const auto wanted = reference::attention(mechanism, in.q, in.k, in.v, at.where);
  EXPECT_LT(worst_difference(got.output, wanted.output), 100 * double(std::numeric_limits<T>::epsilon()))
      << at.name << ", " << mask_name;
}

TEST(by_distance, is_asked_once_for_every_distance_that_a_row_sees) {
  for (const scene& at : scenes)
    for (const auto& [name, m] : masks) {
      expect_asked_once_for_what_is_seen<float>(at, name, m);
      expect_asked_once_for_what_is_seen<double>(at, name, m);
    }
}

// Under two runs, the distances between them may be asked for, and no others.
TEST(by_distance, is_never_asked_beyond_the_distances_seen) {
  for (const scene& at : scenes) {
    const interval distances = seen(sinks_and_window{2, 3}, at.of, at.where);
    const auto fenced =
        by_distance{[=](index_t t) { return distances.contains(t) ? 0.1 * double(t) : throw std::out_of_range("unseen"); }};
    const auto in = random_inputs<float>(at.of);
    EXPECT_NO_THROW(forward(dot_product{} | fenced | sinks_and_window{2, 3}, in.q, in.k, in.v, at.where)) << at.name;
  }
}

// A function of the head has a table for each; its learned numbers are those of the mechanism.
TEST(by_distance, may_depend_on_the_head) {
  const auto in = random_inputs<double>({.heads = 4, .key_heads = 2, .queries = 40, .keys = 70});
  const auto mechanism =
      dot_product{} |
      by_distance{[](index_t t, index_t head) { return affine{1 + 0.1 * double(head), -0.01 * double(t * head)}; }} | causal{};
  const auto wanted = reference::attention(mechanism, in.q, in.k, in.v);
  EXPECT_LT(worst_difference(forward(mechanism, in.q, in.k, in.v).output, wanted.output), 1e-13);
  EXPECT_LT(worst_difference(reference::attention(dot_product{} | alibi{} | causal{}, in.q, in.k, in.v).output,
                             reference::attention(dot_product{} | by_distance{[](index_t t, index_t head) {
                                                    return -alibi::slope(head, 4) * double(t);
                                                  }} | causal{},
                                                  in.q, in.k, in.v)
                                 .output),
            1e-15);
}

TEST(kerple, is_its_formula_and_learns_both_numbers_of_each_head) {
  const auto log = dot_product{} | by_distance{kerple_log{{0.5, 2}, {0.1, 3}}} | causal{};
  const auto power = dot_product{} | by_distance{kerple_power{0.25, {0.5, 1.5}}} | causal{};
  const query_row first{.position = 9, .head = 0, .heads = 2}, second{.position = 9, .head = 1, .heads = 2};
  EXPECT_NEAR(logit((get<by_distance<kerple_log>>(log)), first, 3, 2.0), 2 - 0.5 * std::log(1.6), 1e-15);
  EXPECT_NEAR(logit((get<by_distance<kerple_log>>(log)), second, 12, 2.0), 2 - 2 * std::log(10.), 1e-15);
  EXPECT_NEAR(logit((get<by_distance<kerple_power>>(power)), second, 3, 2.0), 2 - 0.25 * std::pow(6, 1.5), 1e-14);
  EXPECT_EQ(logit((get<by_distance<kerple_power>>(power)), first, 9, 2.0), 2);
  const auto in = random_inputs<double>({.heads = 2, .key_heads = 1, .queries = 30, .keys = 70});
  const loss of{normal<double>(1, 2, 30, 8, 4), sums(sums(1, 2, 30).setRandom())};
  const auto expect_slopes_of = [&](const char* name, const auto& mechanism, std::size_t numbers) {
    const auto made =
        backward_with_parameters(mechanism, in.q, in.k, in.v, kept_of(mechanism, in), attended{of.d_output, of.d_log_sum_exp})
            .d_mechanism;
    std::vector<double> slopes;
    for_each_learned(made, [&](double slope) { slopes.push_back(slope); });
    ASSERT_EQ(slopes.size(), numbers) << name;
    for (std::size_t number = 0; number < numbers; ++number) {
      const double wanted = difference(1e-3, [&](double offset) {
        auto moved = mechanism;
        std::size_t count = 0;
        for_each_learned(moved, [&](double& each) { each += count++ == number ? offset : 0; });
        return of(moved, in);
      });
      EXPECT_NEAR(slopes[number], wanted, 1e-8 * (1 + std::abs(wanted))) << name << ' ' << number;
    }
  };
  expect_slopes_of("log", log, 4);
  expect_slopes_of("power", power, 3);
  EXPECT_THROW(forward(dot_product{} | by_distance{kerple_log{0, 1}} | causal{}, in.q, in.k, in.v), std::invalid_argument);
}

}  // namespace

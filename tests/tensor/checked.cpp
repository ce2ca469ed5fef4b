#include <longspan/tensor/checked.hpp>

#include <gtest/gtest.h>

#include <functional>
#include <limits>
#include <vector>

#include <longspan/longspan.hpp>

#include "support/words.hpp"

namespace {

using namespace longspan;
using namespace longspan::detail;
using testing_support::words_of;

// A call that fits, of which each test breaks one thing: views into memory that is large enough for all of them.
struct request {
  std::vector<float> memory = std::vector<float>(4096, 0.5f);
  view<float> q = dense(0, {2, 4, 3, 8}), k = dense(400, {2, 2, 9, 8}), v = dense(800, {2, 2, 9, 6});
  view<float> output = dense(1200, {2, 4, 3, 6}), log_sum_exp = dense(1600, {2, 4, 3, 1});
  placement where = {};

  view<float> dense(std::size_t offset, std::array<index_t, 4> extent) {
    return longspan::detail::dense(memory.data() + offset, extent);
  }

  shapes check() const { return checked(view<const float>(q), view<const float>(k), view<const float>(v), where); }

  // What the door says. Whatever it refuses, it writes nothing.
  std::string refusal() {
    const auto before = memory;
    const std::string words =
        words_of<shape_error>([&] { forward_into(dot_product{} | causal{}, q, k, v, output, log_sum_exp, where); });
    EXPECT_TRUE(words.empty() || memory == before);
    return words;
  }
};

struct misfit {
  std::function<void(request&)> breaks;
  const char* words;
};

void expect_refusals(const std::vector<misfit>& misfits) {
  for (const misfit& each : misfits) {
    request call;
    each.breaks(call);
    EXPECT_EQ(call.refusal(), each.words);
  }
}

TEST(checked, completes_the_lengths_of_a_call_that_fits) {
  request call;
  EXPECT_EQ(call.refusal(), "");
  const shapes lengths = call.check();
  EXPECT_EQ(lengths.batch, 2);
  EXPECT_EQ(lengths.heads, 4);
  EXPECT_EQ(lengths.key_heads, 2);
  EXPECT_EQ(lengths.queries, 3);
  EXPECT_EQ(lengths.keys, 9);
  EXPECT_EQ(lengths.channels, 8);
  EXPECT_EQ(lengths.value_channels, 6);
}

TEST(checked, names_inputs_that_do_not_fit_each_other) {
  expect_refusals(
      {{[](request& r) { r.k.extent[0] = 1; }, "query and key differ in batch: 2 and 1"},
       {[](request& r) { r.v.extent[0] = 3; }, "key and value differ in batch: 2 and 3"},
       {[](request& r) { r.v.extent[1] = 1; }, "key and value differ in heads: 2 and 1"},
       {[](request& r) { r.v.extent[2] = 8; }, "key and value differ in tokens: 9 and 8"},
       {[](request& r) { r.q.extent[3] = 7; }, "query and key differ in channels: 7 and 8"},
       {[](request& r) { r.q.extent[3] = r.k.extent[3] = 0; }, "query and key have no channels"},
       {[](request& r) { r.v.extent[3] = 0; }, "value has no channels"},
       {[](request& r) { r.q.extent[1] = 3; }, "query heads must be a multiple of key heads: 3 and 2"},
       {[](request& r) { r.k.extent[1] = r.v.extent[1] = 0; }, "query heads must be a multiple of key heads: 4 and 0"}});
}

TEST(checked, names_memory_that_is_not_there) {
  expect_refusals({{[](request& r) { r.q.data = nullptr; }, "query has no memory behind its 192 elements"},
                   {[](request& r) { r.k.data = nullptr; }, "key has no memory behind its 288 elements"},
                   {[](request& r) { r.v.data = nullptr; }, "value has no memory behind its 216 elements"},
                   {[](request& r) { r.output.data = nullptr; }, "output has no memory behind its 144 elements"},
                   {[](request& r) { r.log_sum_exp.data = nullptr; }, "log_sum_exp has no memory behind its 24 elements"},
                   {[](request& r) { r.q.extent[2] = -3; }, "query has a negative extent: -3"},
                   {[](request& r) { r.v.extent[3] = -1; }, "value has a negative extent: -1"}});
}

TEST(checked, names_results_that_do_not_fit_the_call) {
  expect_refusals({{[](request& r) { r.output.extent[0] = 1; }, "output and query differ in batch: 1 and 2"},
                   {[](request& r) { r.output.extent[1] = 2; }, "output and query differ in heads: 2 and 4"},
                   {[](request& r) { r.output.extent[2] = 2; }, "output and query differ in tokens: 2 and 3"},
                   {[](request& r) { r.output.extent[3] = 8; }, "output and value differ in channels: 8 and 6"},
                   {[](request& r) { r.log_sum_exp.extent[1] = 5; }, "log_sum_exp and query differ in heads: 5 and 4"},
                   {[](request& r) { r.log_sum_exp.extent[2] = 9; }, "log_sum_exp and query differ in tokens: 9 and 3"},
                   {[](request& r) { r.log_sum_exp.extent = {2, 4, 3, 0}; },  // told as three extents
                    "log_sum_exp has one number a row, as a view (batch, head, query, 1): its last extent must be 1, not 0"},
                   {[](request& r) { r.log_sum_exp.extent = {1, 2, 4, 3}; },
                    "log_sum_exp has one number a row, as a view (batch, head, query, 1): its last extent must be 1, not 3"}});
}

TEST(checked, names_a_place_where_no_call_can_stand) {
  expect_refusals(
      {{[](request& r) { r.where = {.first_key = -2}; }, "placement: first_key must be at least 0, not -2"},
       {[](request& r) { r.where = {.first_key = 4, .all_keys = 12}; }, "placement: keys end beyond all keys: 13 and 12"},
       {[](request& r) { r.where = {.all_keys = 8}; }, "placement: keys end beyond all keys: 9 and 8"},
       {[](request& r) { r.where = {.first_query = std::numeric_limits<index_t>::max() - 1}; },
        "placement: first_query must lie within 2305843009213693951 of 0, not 9223372036854775806"},
       {[](request& r) { r.where = {.first_key = std::numeric_limits<index_t>::max() - 3}; },
        "placement: first_key must lie within 2305843009213693951 of 0, not 9223372036854775804"}});
}

TEST(checked, places_the_queries_last_unless_told) {
  struct place {
    placement where;
    index_t first_query, first_key, all_keys;
  };
  const std::vector<place> places{{{}, 6, 0, 9},
                                  {{.first_query = 2}, 2, 0, 9},
                                  {{.first_query = -5}, -5, 0, 9},
                                  {{.first_key = 4}, 10, 4, 13},
                                  {{.all_keys = 30}, 27, 0, 30},
                                  {{.first_query = 1, .first_key = 4, .all_keys = 13}, 1, 4, 13}};
  for (const place& each : places) {
    request call;
    call.where = each.where;
    const shapes lengths = call.check();
    EXPECT_EQ(lengths.first_query, each.first_query);
    EXPECT_EQ(lengths.first_key, each.first_key);
    EXPECT_EQ(lengths.all_keys, each.all_keys);
  }
  request more_queries;
  more_queries.q = more_queries.dense(0, {2, 4, 12, 1});
  more_queries.k.extent[3] = 1;
  EXPECT_EQ(more_queries.check().first_query, -3);
}

TEST(checked, takes_tensors_of_nothing_without_memory) {
  request call;
  call.q.extent[2] = 0, call.q.data = nullptr;
  EXPECT_EQ(call.check().queries, 0);
  call.k.extent[2] = call.v.extent[2] = 0;
  call.k.data = call.v.data = nullptr;
  EXPECT_EQ(call.check().keys, 0);
}

}  // namespace

#include <longspan/position/angle_table.hpp>

#include <gtest/gtest.h>

#include <longspan/position/partial_rotary.hpp>
#include <longspan/position/rope.hpp>
#include <longspan/position/truncated_rope.hpp>

#include "support/turned.hpp"

namespace {

using namespace longspan;
using namespace longspan::detail;
using namespace testing_support;

struct call {
  const char* name;
  interval queries, keys;
};
// Blocks of 64 positions begin where each run begins.
const std::vector<call> calls{{"prefill", {0, 70}, {0, 70}},
                              {"decoding", {300, 301}, {0, 301}},
                              {"keys apart from queries", {0, 5}, {900, 1100}},
                              {"queries apart from keys", {700, 900}, {3, 4}},
                              {"queries before all keys", {-130, 2}, {0, 66}},
                              {"queries before and beyond", {-3, 200}, {64, 128}},
                              {"all negative", {-500, -300}, {0, 1}},
                              {"side by side", {65, 129}, {0, 65}},
                              {"no keys", {-7, 0}, {0, 0}},
                              {"no queries", {40, 40}, {0, 200}}};

const std::vector<ladder> ladders{rope{}.frequencies(16),
                                  rope{.pairing = pairing::interleaved}.frequencies(2),
                                  rope{}.yarn({.factor = 8, .trained = 64}).frequencies(16),
                                  partial_rotary{.fraction = 0.5}.frequencies(16),
                                  truncated_rope{}.frequencies(16),
                                  ladder{}};

template <class T>
void expect_definition(const ladder& rungs, const call& at, index_t position, double tolerance) {
  const angle_table<T> table(rungs, at.queries, at.keys);
  const auto row = random_row(16);
  std::vector<T> got(row.begin(), row.end());
  table.turn(std::span(got), position);
  const auto wanted = turned(rotation_by_definition{rungs}, std::vector<double>(row.begin(), row.end()), position);
  for (std::size_t c = 0; c < row.size(); ++c) ASSERT_NEAR(got[c], wanted[c], tolerance) << at.name << ", position " << position;
}

template <class T>
void expect_definition_everywhere(double tolerance) {
  for (const ladder& rungs : ladders)
    for (const call& at : calls)
      for (const interval run : {at.queries, at.keys})
        for (index_t position = run.first; position < run.last; position += run.size() > 9 && position > run.first ? 7 : 1)
          expect_definition<T>(rungs, at, position, tolerance);
}

TEST(angle_table, holds_the_definition_at_every_position_of_a_call) {
  expect_definition_everywhere<double>(1e-12);
  expect_definition_everywhere<float>(2e-6);
}

TEST(angle_table, is_right_at_the_edges_of_blocks) {
  const call at{"long", {0, 1}, {1000, 1400}};
  for (const ladder& rungs : ladders)
    for (const index_t edge : {1000, 1064, 1128, 1384, 1399})
      for (const index_t position : {edge - 1, edge})
        if (at.keys.contains(position)) expect_definition<double>(rungs, at, position, 1e-12);
}

TEST(angle_table, is_shared_by_its_copies) {
  auto row = random_row(16);
  const auto copy = [] {
    const angle_table<double> made(rope{}.frequencies(16), {0, 4}, {0, 4});
    return made;
  }();
  const auto wanted = turned(rope{}, row, 3);
  copy.turn(std::span(row), 3);
  for (std::size_t c = 0; c < row.size(); ++c) EXPECT_NEAR(row[c], wanted[c], 1e-14);
}

TEST(angle_table, turns_gradients_back) {
  for (const ladder& rungs : ladders) {
    const angle_table<double> table(rungs, {0, 40}, {0, 40});
    const rotation_by_definition definition{rungs};
    const auto row = random_row(2 * index_t(rungs.frequencies.size()) + 3);
    expect_transpose([&](auto from, auto gradient) { table.turn_back(from, gradient, 37); },
                     [&](auto moved) { table.turn(moved, 37); }, row);
    expect_transpose([&](auto from, auto gradient) { definition.turn_back(from, gradient, 37); },
                     [&](auto moved) { definition.turn(moved, 37); }, row);
  }
}

}  // namespace

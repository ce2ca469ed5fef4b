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
    for (const index_t edge : {1000, 1024, 1088, 1344, 1399})
      for (const index_t position : {edge - 1, edge})
        if (at.keys.contains(position)) expect_definition<double>(rungs, at, position, 1e-12);
}

template <class T>
std::vector<T> row_at(const angle_table<T>& table, index_t position) {
  const auto row = random_row(16);
  std::vector<T> turned(row.begin(), row.end());
  table.turn(std::span(turned), position);
  return turned;
}

// A text that lies behind others, a page of a cache and a decoded token have runs of their own.
template <class T>
void expect_the_same_bits_in_every_run(const ladder& rungs) {
  const angle_table<T> whole(rungs, {-200, 0}, {0, 400});
  for (const interval run : {interval{-200, 400}, {-65, 1}, {-64, -63}, {1, 3}, {63, 65}, {64, 128}, {100, 331}, {399, 400}})
    for (const auto& [queries, keys] : {std::pair{run, interval{}}, {interval{run.first, run.first + 1}, run}}) {
      const angle_table<T> part(rungs, queries, keys);
      for (index_t position = run.first; position < run.last; ++position)
        ASSERT_EQ(row_at(part, position), row_at(whole, position)) << "run from " << run.first << ", position " << position;
    }
}

TEST(angle_table, has_the_same_bits_at_a_position_whatever_run_it_is_in) {
  for (const ladder& rungs : ladders)
    expect_the_same_bits_in_every_run<float>(rungs), expect_the_same_bits_in_every_run<double>(rungs);
}

// Rounded to float it is the cosine of the definition rounded to float, or a neighbour's neighbour. Close to a zero of the cosine, where
// float is finer than the products in double, it is as close as a float of 2^-12 is.
TEST(angle_table, is_within_two_units_of_the_last_place) {
  const ladder rungs = rope{}.frequencies(64);
  for (const index_t first : {-4000, 0, 1000, 30000, 1000000}) {
    const angle_table<float> table(rungs, {first, first + 200}, {});
    for (index_t position = first; position < first + 200; ++position)
      for (std::size_t i = 0; i < 32; ++i) {
        std::vector<float> row(64);
        row[i] = 1;
        table.turn(std::span(row), position);
        const double angle = double(position) * rungs.frequencies[i];
        for (const auto& [got, wanted] : {std::pair(row[i], std::cos(angle)), {row[i + 32], std::sin(angle)}}) {
          const float rounded = float(wanted), size = std::max(std::abs(rounded), 0x1p-12f);
          ASSERT_LE(std::abs(got - rounded), 2 * (std::nextafter(size, 2.f) - size)) << "position " << position << ", pair " << i;
        }
      }
  }
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

#include <longspan/position/mapped_rotation.hpp>

#include <gtest/gtest.h>

#include <limits>

#include <longspan/mechanism/batch_of_texts.hpp>
#include <longspan/position/concept.hpp>
#include <longspan/position/p_rope.hpp>
#include <longspan/position/partial_rotary.hpp>
#include <longspan/position/rope.hpp>
#include <longspan/position/truncated_rope.hpp>

#include "support/turned.hpp"
#include "support/words.hpp"

namespace {

using namespace longspan;
using namespace longspan::detail;
using namespace testing_support;

const auto quarters = [](index_t place) { return double(place) / 4; };
const auto shifted = [](index_t place) { return place - 3; };
const auto by_text = [](index_t text, index_t place) { return 10 * text + place; };
const auto by_number = [](const token& of) { return 2.5 * double(of.number) - double(of.batch); };

static_assert(row_part<decltype(rope{}.at(quarters))> && !rotation<decltype(rope{}.at(quarters))>);

// Every rotation of the library, and one of one's own.
struct own_rotation {
  ladder frequencies(index_t channels) const { return geometric(100, channels, pairing::interleaved); }
};
template <class Visit>
void for_each_rotation(Visit visit) {
  visit(rope{}), visit(rope{.pairing = pairing::interleaved}), visit(p_rope{}), visit(truncated_rope{});
  visit(partial_rotary{.fraction = 0.5}), visit(rope{}.interpolate(4)), visit(rope{}.ntk(4)), visit(own_rotation{});
  visit(rope{}.yarn({.factor = 8, .trained = 64})), visit(rope{}.llama3());
}

std::vector<double> at_position(const auto& part, std::vector<double> row, double position) {
  rotation_by_definition{part.frequencies(index_t(row.size()))}.turn(std::span(row), position);
  return row;
}
template <class T, class Part>
std::vector<double> at_token(const Part& part, const std::vector<double>& row, const token& of) {
  std::vector<T> got(row.begin(), row.end());
  part.turn(std::span(got), of);
  return {got.begin(), got.end()};
}

// Three texts of 90 keys, of which those from place 5 on are at hand, and 70 queries.
const shapes three_texts{.batch = 3,
                         .heads = 2,
                         .key_heads = 1,
                         .queries = 70,
                         .keys = 85,
                         .channels = 16,
                         .value_channels = 8,
                         .first_query = 20,
                         .first_key = 5,
                         .all_keys = 90};

TEST(mapped_rotation, turns_by_the_position_of_the_map) {
  const auto row = random_row(16);
  for_each_rotation([&](const auto& part) {
    const mapped_rotation mapped{part, quarters};
    for (const index_t place : {-7, 0, 1, 6, 1000}) {
      const token of{.place = place, .head = 1};
      EXPECT_EQ(at_token<double>(mapped, row, of), at_position(part, row, double(place) / 4));
    }
  });
  const token query{token::role::query, 4, 0, 2, 2, 9}, key{token::role::key, 4, 0, 2, 2, 9};
  const auto one = [&](const auto& part, const token& of) { return at_token<double>(part, row, of); };
  EXPECT_EQ(one(rope{}.at(shifted), key), at_position(rope{}, row, 1));
  EXPECT_EQ(one(rope{}.at(by_text), key), at_position(rope{}, row, 24));
  EXPECT_EQ(one(rope{}.at(by_number), query), at_position(rope{}, row, 20.5));
  EXPECT_EQ(one(rope{}.at([](const token& of) { return 10 * of.head; }), {.head = 3}), row);
  EXPECT_EQ(one(rope{}.at(by_text, quarters), query), at_position(rope{}, row, 24));
  EXPECT_EQ(one(rope{}.at(by_text, quarters), key), at_position(rope{}, row, 1));
}

TEST(mapped_rotation, of_every_rotation_is_said_alike) {
  const auto row = random_row(16);
  const token of{.place = 9};
  const auto expect = [&](const auto& plain, const auto& mapped) {
    EXPECT_EQ(at_token<double>(mapped, row, of), at_position(plain, row, 2.25));
  };
  expect(rope{}, rope{}.at(quarters)), expect(p_rope{}, p_rope{}.at(quarters));
  expect(truncated_rope{}, truncated_rope{}.at(quarters));
  expect(partial_rotary{}, partial_rotary{}.at(quarters)), expect(rope{}.ntk(4), rope{}.ntk(4).at(quarters));
  expect(rope{}.llama3(), rope{}.llama3().at(quarters, shifted));
}

template <class T>
void expect_definition(const auto& part, double tolerance) {
  const auto table = part.template prepare<T>(three_texts, texts_of(three_texts, {}));
  const auto row = random_row(16);
  for (const text& text : texts_of(three_texts, {}))
    for (const auto& [as, places] : {std::pair{token::role::query, text.query_places()}, {token::role::key, text.key_places()}})
      for (index_t place = places.first; place < places.last; ++place) {
        token of = text.at(as, place);
        of.head = 1;
        const auto got = at_token<T>(table, row, of), wanted = at_token<double>(part, row, of);
        for (std::size_t c = 0; c < row.size(); ++c)
          ASSERT_NEAR(got[c], wanted[c], tolerance) << "text " << text.number << ", place " << place;
      }
}

TEST(mapped_rotation, has_tables_of_the_definition_for_every_token) {
  const auto expect = [](const auto& part) { expect_definition<double>(part, 1e-12), expect_definition<float>(part, 1e-6); };
  for_each_rotation([&](const auto& part) { expect(mapped_rotation{part, quarters}); });
  expect(rope{}.at(shifted)), expect(rope{}.at(by_text)), expect(rope{}.at(by_number));
  expect(rope{}.at(quarters, shifted)), expect(rope{}.at(by_text, quarters)), expect(p_rope{}.at(quarters, by_number));
}

TEST(mapped_rotation, has_the_bits_of_the_plain_table_where_positions_are_places) {
  const auto row = random_row(16);
  const angle_table<float> plain(rope{}.frequencies(16), three_texts.query_positions(), three_texts.key_positions());
  const auto mapped =
      rope{}.at([](index_t place) { return double(place); }).prepare<float>(three_texts, texts_of(three_texts, {}));
  for (index_t place = 5; place < 90; ++place) {
    std::vector<float> a(row.begin(), row.end()), b = a;
    plain.turn(std::span(a), place), mapped.turn(std::span(b), token{.place = place});
    EXPECT_EQ(a, b) << place;
  }
}

TEST(mapped_rotation, turns_gradients_back) {
  const auto expect = [](const auto& part) {
    const auto table = part.template prepare<double>(three_texts, texts_of(three_texts, {}));
    for (const auto as : {token::role::query, token::role::key}) {
      const token of{as, 33, 1, 2, 2, 28};
      expect_transpose([&](auto row, auto gradient) { part.turn_back(row, gradient, of); }, [&](auto row) { part.turn(row, of); },
                       random_row(16));
      expect_transpose([&](auto row, auto gradient) { table.turn_back(row, gradient, of); },
                       [&](auto row) { table.turn(row, of); }, random_row(16));
    }
  };
  expect(rope{}.at(quarters)), expect(rope{}.yarn({.factor = 8, .trained = 64}).at(by_text, quarters));
}

TEST(mapped_rotation, names_what_it_refuses) {
  const auto infinite = rope{}.at([](index_t place) { return 1 / double(place - 40); });
  const std::string wanted = "a rotation's at: a position that the map returns must be finite, not inf";
  EXPECT_EQ(words_of([&] { infinite.prepare<float>(three_texts, texts_of(three_texts, {})); }), wanted);
  EXPECT_EQ(words_of([&] { at_token<double>(infinite, random_row(8), {.place = 40}); }), wanted);
  EXPECT_EQ(words_of([&] { rope{}.at(quarters).check({.channels = 7}); }),
            "rope rotates pairs of channels, so their number must be even, not 7");
  struct too_many {
    ladder frequencies(index_t channels) const { return {std::vector<double>(std::size_t(channels))}; }
  };
  EXPECT_EQ(words_of([&] { mapped_rotation{too_many{}, quarters}.check({.channels = 4}); }),
            "rotation: frequencies must be at most one for each pair of channels, not 4");
}

}  // namespace

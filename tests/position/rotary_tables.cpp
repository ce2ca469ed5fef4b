#include <longspan/position/rotary_tables.hpp>

#include <gtest/gtest.h>

#include <longspan/mechanism/batch_of_texts.hpp>
#include <longspan/position/concept.hpp>
#include <longspan/position/rope.hpp>
#include <longspan/tensor/eigen.hpp>

#include "support/turned.hpp"
#include "support/words.hpp"

namespace {

using namespace longspan;
using namespace longspan::detail;
using namespace testing_support;

template <class S>
using table = Eigen::Tensor<S, 3, Eigen::RowMajor>;

static_assert(row_part<rotary_tables<float>> && !rotation<rotary_tables<float>>);

// The angles of RoPE over 12 channels, those of text b 100 b places on.
template <class S>
std::pair<table<S>, table<S>> tables_of_rope(index_t batch, index_t tokens) {
  std::pair<table<S>, table<S>> made{table<S>(batch, tokens, 6), table<S>(batch, tokens, 6)};
  const auto frequencies = rope{}.frequencies(12).frequencies;
  for (index_t b = 0; b < batch; ++b)
    for (index_t j = 0; j < tokens; ++j)
      for (index_t i = 0; i < 6; ++i) {
        const double angle = double(100 * b + j) * frequencies[std::size_t(i)];
        made.first(b, j, i) = S(std::cos(angle)), made.second(b, j, i) = S(std::sin(angle));
      }
  return made;
}

template <class T>
std::vector<double> turned_as(const auto& part, const std::vector<double>& row, const token& of) {
  std::vector<T> got(row.begin(), row.end());
  part.turn(std::span(got), of);
  return {got.begin(), got.end()};
}

template <class S, class T>
void expect_rope(double tolerance) {
  const auto row = random_row(15);  // three channels more than are turned
  const auto [cosine, sine] = tables_of_rope<S>(2, 40);
  for (const pairing paired : {pairing::halves, pairing::interleaved}) {
    const rotary_tables part{cosine, sine, paired};
    for (index_t b = 0; b < 2; ++b)
      for (const index_t number : {0, 1, 39})
        for (const auto as : {token::role::query, token::role::key}) {
          const auto got = turned_as<T>(part, row, {as, 7, 3, b, 5, number});
          std::vector<double> first(row.begin(), row.begin() + 12),
              wanted = turned(rope{.pairing = paired}, first, 100 * b + number);
          wanted.insert(wanted.end(), row.begin() + 12, row.end());
          for (std::size_t c = 0; c < row.size(); ++c) EXPECT_NEAR(got[c], wanted[c], tolerance) << c;
        }
  }
}

TEST(rotary_tables, turn_a_token_by_the_row_of_its_number) {
  expect_rope<double, double>(1e-13);
  expect_rope<float, float>(1e-6);
  expect_rope<float, double>(1e-6);
  expect_rope<double, float>(1e-6);
  expect_rope<Eigen::half, float>(2e-3);
}

TEST(rotary_tables, of_one_text_serve_all) {
  const auto [cosine, sine] = tables_of_rope<double>(1, 40);
  const Eigen::MatrixXd cosines = Eigen::Map<const Eigen::MatrixXd>(cosine.data(), 6, 40),  // a token is a column
      sines = Eigen::Map<const Eigen::MatrixXd>(sine.data(), 6, 40);
  const rotary_tables part{cosine, sine}, matrices{cosines, sines};
  const auto row = random_row(12);
  for (index_t b = 0; b < 3; ++b) {
    EXPECT_EQ(turned_as<double>(part, row, {.batch = b, .number = 9}), turned_as<double>(part, row, {.number = 9}));
    EXPECT_EQ(turned_as<double>(matrices, row, {.batch = b, .number = 9}), turned_as<double>(part, row, {.number = 9}));
  }
}

TEST(rotary_tables, are_read_with_any_strides) {
  const auto [cosine, sine] = tables_of_rope<float>(2, 40);
  std::vector<float> memory;  // cosine and sine of a pair side by side
  for (index_t i = 0; i < cosine.size(); ++i) memory.push_back(cosine.data()[i]), memory.push_back(sine.data()[i]);
  const std::array<index_t, 4> extent{2, 1, 40, 6}, stride{480, 0, 12, 2};
  const rotary_tables packed{cosine, sine},
      strided{view<const float>{memory.data(), extent, stride}, view<const float>{memory.data() + 1, extent, stride}};
  const auto row = random_row(12);
  for (index_t b = 0; b < 2; ++b) {
    const auto a = turned_as<float>(packed, row, {.batch = b, .number = 9}),
               c = turned_as<float>(strided, row, {.batch = b, .number = 9});
    for (std::size_t i = 0; i < row.size(); ++i) EXPECT_NEAR(a[i], c[i], 1e-6);
  }
}

// Also where the tables hold a magnitude: the transpose is no inverse then.
TEST(rotary_tables, turn_gradients_back) {
  auto [cosine, sine] = tables_of_rope<double>(1, 40);
  cosine = 1.5 * cosine, sine = 1.5 * sine;
  for (const pairing paired : {pairing::halves, pairing::interleaved}) {
    const rotary_tables part{cosine, sine, paired};
    const token of{.number = 17};
    expect_transpose([&](auto row, auto gradient) { part.turn_back(row, gradient, of); }, [&](auto row) { part.turn(row, of); },
                     random_row(15));
  }
}

TEST(rotary_tables, names_what_it_refuses) {
  const auto words = [](const table<float>& cosine, const table<float>& sine, const shapes& lengths) {
    return words_of<shape_error>([&] { rotary_tables{cosine, sine}.check(lengths, texts_of(lengths, {})); });
  };
  const shapes call{.batch = 2, .queries = 3, .keys = 9, .channels = 12, .first_query = 6, .all_keys = 9};
  const auto of = [](index_t batch, index_t tokens, index_t pairs) { return table<float>(batch, tokens, pairs); };
  EXPECT_EQ(words(of(2, 9, 6), of(2, 9, 6), call), "");
  EXPECT_EQ(words(of(1, 12, 2), of(1, 12, 2), call), "");
  EXPECT_EQ(words(of(2, 9, 6), of(2, 9, 5), call), "cosines of rotary_tables and sines differ in pairs: 6 and 5");
  EXPECT_EQ(words(of(2, 9, 6), of(2, 8, 6), call), "cosines of rotary_tables and sines differ in tokens: 9 and 8");
  EXPECT_EQ(words(of(2, 9, 6), of(1, 9, 6), call), "cosines of rotary_tables and sines differ in batch: 2 and 1");
  EXPECT_EQ(words(of(3, 9, 6), of(3, 9, 6), call), "rotary_tables and key differ in batch: 3 and 2");
  EXPECT_EQ(words(of(2, 9, 7), of(2, 9, 7), call), "rotary_tables: pairs must be at most half of the channels: 7 and 12");
  EXPECT_EQ(words(of(2, 8, 6), of(2, 8, 6), call),
            "rotary_tables: queries are tokens 6 to 8 of the keys, and there are rows for 8");
  shapes before = call;
  before.queries = 12, before.first_query = -3;
  EXPECT_EQ(words(of(2, 9, 6), of(2, 9, 6), before),
            "rotary_tables: queries of text 0 begin before its keys, at place -3, for which there is no row");
  const Eigen::Tensor<float, 4, Eigen::RowMajor> of_heads(2, 3, 9, 6);
  EXPECT_EQ(words_of<shape_error>([&] { rotary_tables{of_heads, of_heads}.check(call, texts_of(call, {})); }),
            "rotary_tables are the same for all heads: heads must be 1, not 3");
}

}  // namespace

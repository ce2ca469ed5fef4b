#include <longspan/position/positions.hpp>

#include <gtest/gtest.h>

#include <cstdint>

#include <longspan/position/mapped_rotation.hpp>
#include <longspan/tensor/eigen.hpp>

#include "support/words.hpp"

namespace {

using namespace longspan;
using namespace longspan::detail;
using testing_support::words_of;

token key(index_t batch, index_t number) { return {token::role::key, number + 100, 7, batch, batch + 5, number}; }

TEST(positions, are_found_by_batch_and_number) {
  Eigen::Tensor<std::int64_t, 2, Eigen::RowMajor> rows(2, 3);
  rows.setValues({{10, 11, 12}, {20, 21, 22}});
  Eigen::Tensor<float, 2> columns(3, 2);  // the same axes, slowest first
  columns.setValues({{10.5f, 20.5f}, {11.5f, 21.5f}, {12.5f, 22.5f}});
  const std::vector<double> memory{10, 0, 11, 0, 12, 0, 20, 0, 21, 0, 22, 0};
  const positions whole(rows);
  const positions fractions(columns);
  const positions strided(view<const double>{memory.data(), {1, 1, 2, 3}, {0, 0, 6, 2}});
  static_assert(std::is_same_v<decltype(whole), const positions<std::int64_t>> && maps_token<positions<float>> &&
                !maps_place<positions<float>>);
  for (index_t b = 0; b < 2; ++b)
    for (index_t i = 0; i < 3; ++i) {
      EXPECT_EQ(whole(key(b, i)), double(10 * (b + 1) + i));
      EXPECT_EQ(strided(key(b, i)), double(10 * (b + 1) + i));
      EXPECT_EQ(fractions(key(b, i)), double(10 * (b + 1) + i) + 0.5);
    }
}

TEST(positions, of_one_row_serve_every_text) {
  const Eigen::VectorXi ids = Eigen::VectorXi::LinSpaced(4, 3, 6);
  const positions every(ids);
  for (index_t b = 0; b < 9; ++b) EXPECT_EQ(every(key(b, 2)), 5);
  EXPECT_NO_THROW(every.check({.batch = 9}));
}

TEST(positions, names_what_it_refuses) {
  Eigen::Tensor<int, 2, Eigen::RowMajor> ids(2, 3);
  ids.setZero();
  const positions each(ids);
  EXPECT_EQ(words_of<shape_error>([&] { each(key(0, 3)); }),
            "positions: a key is token 3 of the keys, and there are positions for 3");
  EXPECT_EQ(words_of<shape_error>([&] { each({.place = -2, .number = -2}); }),
            "positions: a query of text 0 stands before its keys, at place -2, for which there is no position");
  EXPECT_EQ(words_of<shape_error>([&] { each.check({.batch = 2}); }), "");
  EXPECT_EQ(words_of<shape_error>([&] { each.check({.batch = 3}); }), "positions and key differ in batch: 2 and 3");
  Eigen::Tensor<int, 3, Eigen::RowMajor> of_heads(2, 1, 3);
  EXPECT_EQ(words_of<shape_error>([&] { positions(of_heads).check({.batch = 1}); }),
            "positions are (batch or 1, token): the axes before must have extent 1, not 1 and 2");
}

}  // namespace

#include <longspan/position/concept.hpp>

#include <gtest/gtest.h>

#include <vector>

namespace {

using namespace longspan;

// Parts that are told the place, all of the token, and either.
struct by_place {
  template <class T>
  void turn(std::span<T> row, index_t place) const {
    row[0] += T(place);
  }
  template <class T>
  void turn_back(std::span<const T> row, std::span<T> gradient, index_t place) const {
    gradient[0] += row[0] + T(place);
  }
};
struct by_token {
  template <class T>
  void turn(std::span<T> row, const token& of) const {
    row[0] += T(of.is_query() ? of.head : -of.place);
  }
  template <class T>
  void turn_back(std::span<const T> row, std::span<T> gradient, const token& of) const {
    gradient[0] += row[0] + T(of.number);
  }
};
struct by_either {
  void turn(auto row, auto) const { row[0] = 1; }
};
struct of_float_alone {
  void turn(std::span<float>, const token&) const {}
};
struct by_nothing {
  void turn(std::span<float>) const {}
};

static_assert(row_part<by_place> && row_part<by_token> && row_part<by_either>);
static_assert(!row_part<of_float_alone> && !row_part<by_nothing> && !row_part<int>);
static_assert(detail::turns_rows_back<by_place, float> && detail::turns_rows_back<by_token, double> &&
              !detail::turns_rows_back<by_either, float>);

const token query{token::role::query, 7, 5, 4, 3, 11}, key{token::role::key, 7, 5, 4, 3, 11};

template <class Part>
std::vector<double> turned_and_back(const Part& part, const token& of) {
  std::vector<double> row{100}, gradient{1000};
  detail::turn_back(part, std::span<const double>(row), std::span(gradient), of);
  detail::turn(part, std::span(row), of);
  return {row[0], gradient[0]};
}

TEST(row_part, is_told_the_place_or_the_token) {
  EXPECT_EQ(turned_and_back(by_place{}, query), (std::vector<double>{107, 1107}));
  EXPECT_EQ(turned_and_back(by_place{}, key), (std::vector<double>{107, 1107}));
  EXPECT_EQ(turned_and_back(by_token{}, query), (std::vector<double>{105, 1111}));
  EXPECT_EQ(turned_and_back(by_token{}, key), (std::vector<double>{93, 1111}));
}

}  // namespace

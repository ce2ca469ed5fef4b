// Parts that read tensors beside the queries and keys, and write gradients of them, over a ring.
#include <algorithm>
#include <array>
#include <type_traits>
#include <vector>

#include "both_ways.hpp"

using namespace testing_support;
using namespace longspan;

namespace {

// A number for each head and token.
template <class Tensor>
auto by_token(Tensor& c) {
  const index_t heads = c.dimension(1), tokens = c.dimension(3);
  return view<std::remove_pointer_t<decltype(c.data())>>{c.data(), {1, heads, tokens, 1}, {heads * tokens, tokens, 1, 1}};
}

}  // namespace

// Rows are a rank's own, keys are all. A rank may have no row, but not each exactly one: its rows would look like one that all share.
TEST(ring, reads_tensors_and_writes_their_gradients) {
  const ring over(MPI_COMM_WORLD);
  const std::vector<index_t> starts{0, 3, 3, 70, 71, 140, 150};
  const auto expect_same_with_tensors = [&](index_t tokens, const placement& where) {
    const auto numbers = normal<double>(1, 4, tokens, tokens, 3);
    const auto own_numbers = over.scatter(numbers);
    const auto importance = normal<double>(1, 1, 1, tokens, 4);
    const auto gates = normal<double>(1, 4, 1, tokens, 5);
    Eigen::Tensor<bool, 4, Eigen::RowMajor> sees = numbers.unaryExpr([](double x) { return x > -1; }).cast<bool>();
    const Eigen::Tensor<bool, 4, Eigen::RowMajor> own_sees = over.scatter(sees);
    tensor<double> d_numbers = numbers, d_own_numbers = own_numbers;
    std::array<tensor<double>, 2> d_importance{importance, importance}, d_gates{gates, gates};
    const auto mechanism = [&](auto& b, auto& d_b, std::size_t n, auto& mask) {
      return dot_product{} | bias{b, d_b} | bias{importance, d_importance[n]} |
             forgetting{by_token(gates), by_token(d_gates[n])} | boolean_mask{mask} | causal{} |
             dropout{.share = 0.2, .seed = 5} | sink{{0.1, 0.2, 0.3, 0.4}};
    };
    expect_the_same<double>(over, mechanism(numbers, d_numbers, 0, sees), mechanism(own_numbers, d_own_numbers, 1, own_sees),
                            grouped(tokens, tokens), 1e-12, where);
    EXPECT_LE(worst_difference(d_own_numbers, over.scatter(d_numbers)), 1e-11);
    EXPECT_LE(worst_difference(d_importance[1], d_importance[0]), 1e-10);
    EXPECT_LE(worst_difference(d_gates[1], d_gates[0]), 1e-10);
  };
  for (const index_t tokens : {over.ranks() - 1, index_t(7), index_t(150)}) expect_same_with_tensors(tokens, {});
  expect_same_with_tensors(150, {.query_starts = starts, .key_starts = starts});
}

// What is summed along diagonals, of every part of the keys and every rank.
TEST(ring, learns_by_distance) {
  const ring over(MPI_COMM_WORLD);
  const auto numbers = normal<double>(1, 1, 4, 20, 3);
  std::array<tensor<double>, 2> d_numbers{numbers, numbers};
  const auto mechanism = [&](std::size_t n) {
    return dot_product{} | scale_invariant{} | by_distance{kerple_log{{0.1, 0.2, 0.3, 0.4}, 0.5}} |
           relative_bias{numbers, [](index_t t) { return std::min<index_t>(t / 3, 19); }, d_numbers[n]} | causal{};
  };
  for (const index_t tokens : {7, 150, 301}) {
    expect_the_same<double>(over, mechanism(0), mechanism(1), grouped(tokens, tokens), 1e-12);
    EXPECT_LE(worst_difference(d_numbers[1], d_numbers[0]), 1e-10);
  }
  const std::vector<index_t> starts{0, 3, 3, 120, 121, 290, 300};
  expect_the_same<double>(over, mechanism(0), mechanism(1), grouped(300, 300), 1e-12,
                          placement{.query_starts = starts, .key_starts = starts});
  EXPECT_LE(worst_difference(d_numbers[1], d_numbers[0]), 1e-10);
}

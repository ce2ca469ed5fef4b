// Sums over a ring that read tensors beside the keys, and tensors of 16 bits.
#include "both_ways.hpp"

using namespace testing_support;
using namespace longspan;

TEST(sums_over_a_ring, multiply_16_bits) {
  const auto mechanism = rerope(64, dot_product{} | log_n{.trained = 128, .clamp = true});
  expect_the_same<Eigen::bfloat16>(ring(MPI_COMM_WORLD), mechanism, grouped(200, 200), 0.02);
}

// Masks that differ by head, and gradients of tensors that parts read.
TEST(sums_over_a_ring, read_tensors_and_write_their_gradients) {
  const ring over(MPI_COMM_WORLD);
  const index_t tokens = 150;
  const auto numbers = normal<double>(1, 4, tokens, tokens, 3), importance = normal<double>(1, 1, 1, tokens, 4);
  using bits = Eigen::Tensor<bool, 4, Eigen::RowMajor>;
  const bits first = numbers.unaryExpr([](double x) { return x > 0.3; }).cast<bool>();
  const bits others = numbers.unaryExpr([](double x) { return x <= 0.3; }).cast<bool>();
  const auto own_numbers = over.scatter(numbers);
  const bits own_first = over.scatter(first), own_others = over.scatter(others);
  tensor<double> d_numbers = numbers, d_own_numbers = own_numbers, d_importance = importance, d_own_importance = importance;
  const auto mechanism = [&](auto& b, auto& d_b, auto& d_by_key, auto& mask, auto& other_mask) {
    return (dot_product{} | bias{b, d_b} | boolean_mask{mask} | causal{}) +
           (rope{} | cosine{} | temperature{4} | bias{importance, d_by_key} | boolean_mask{other_mask} | causal{} |
            dropout{.share = 0.2, .seed = 5} | sink{{0.1, 0.2, 0.3, 0.4}});
  };
  expect_the_same<double>(over, mechanism(numbers, d_numbers, d_importance, first, others),
                          mechanism(own_numbers, d_own_numbers, d_own_importance, own_first, own_others), grouped(tokens, tokens),
                          1e-12);
  EXPECT_LE(worst_difference(d_own_numbers, over.scatter(d_numbers)), 1e-11);
  EXPECT_LE(worst_difference(d_own_importance, d_importance), 1e-10);
}

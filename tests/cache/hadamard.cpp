#include <longspan/cache/hadamard.hpp>

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <random>
#include <vector>

namespace {

using namespace longspan;
using namespace longspan::detail;

template <class T>
class hadamard_of : public testing::Test {};
using numbers = testing::Types<float, double>;
TYPED_TEST_SUITE(hadamard_of, numbers);

TEST(hadamard, is_its_definition) {
  std::vector<double> row{1, 2, 3, 4, 10, 20, 7};  // blocks of 4, 2 and 1
  hadamard(std::span(row));
  const double half = std::sqrt(0.5);
  const std::vector<double> wanted{5, -1, -2, 0, 30 * half, -10 * half, 7};
  for (std::size_t c = 0; c < row.size(); ++c) EXPECT_NEAR(row[c], wanted[c], 1e-14);
}

// Of channel c and d the product has the sign of the number of bits that both have.
TYPED_TEST(hadamard_of, is_its_matrix) {
  using T = TypeParam;
  for (std::size_t channels = 1; channels <= 256; channels *= 2) {
    std::vector<T> row(channels);
    for (std::size_t c = 0; c < channels; ++c) row[c] = T(c % 7) - T(2.5);
    const auto before = row;
    hadamard(std::span(row));
    for (std::size_t c = 0; c < channels; ++c) {
      double wanted = 0;
      for (std::size_t d = 0; d < channels; ++d) wanted += std::popcount(c & d) % 2 == 0 ? double(before[d]) : -double(before[d]);
      EXPECT_NEAR(double(row[c]), wanted / std::sqrt(double(channels)), 1e-5) << channels << ", " << c;
    }
  }
}

TEST(hadamard, is_its_own_inverse_and_keeps_dot_products) {
  std::mt19937 generator(1);
  std::normal_distribution<double> normal;
  for (std::size_t channels = 0; channels <= 70; ++channels) {
    std::vector<double> x(channels), y(channels);
    for (auto* each : {&x, &y})
      for (double& number : *each) number = normal(generator);
    auto turned = x, other = y;
    hadamard(std::span(turned)), hadamard(std::span(other));
    double before = 0, after = 0;
    for (std::size_t c = 0; c < channels; ++c) before += x[c] * y[c], after += turned[c] * other[c];
    EXPECT_NEAR(before, after, 1e-12) << channels;
    hadamard(std::span(turned));
    for (std::size_t c = 0; c < channels; ++c) EXPECT_NEAR(turned[c], x[c], 1e-13) << channels;
  }
}

}  // namespace

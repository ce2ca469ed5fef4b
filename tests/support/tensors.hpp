#pragma once

#include <algorithm>
#include <cmath>
#include <cstring>
#include <random>

#include <unsupported/Eigen/CXX11/Tensor>

#include <longspan/core/index.hpp>

namespace testing_support {

template <class T>
using tensor = Eigen::Tensor<T, 4, Eigen::RowMajor>;

// A tensor (batch, head, token, channel) of standard normal numbers, the same for the same seed and the same in float and double.
template <class T>
tensor<T> normal(longspan::index_t batch, longspan::index_t heads, longspan::index_t tokens, longspan::index_t channels,
                 unsigned seed) {
  tensor<T> made(batch, heads, tokens, channels);
  std::mt19937 generator(seed);
  std::normal_distribution<float> number;
  for (Eigen::Index i = 0; i < made.size(); ++i) made.data()[i] = T(number(generator));
  return made;
}

// Queries, keys and values of one call.
template <class T>
struct inputs {
  tensor<T> q, k, v;
};

struct lengths {
  longspan::index_t batch = 1, heads = 1, key_heads = 1, queries = 1, keys = 1, channels = 8, value_channels = 8;
};

template <class T>
inputs<T> random_inputs(const lengths& of, unsigned seed = 1) {
  return {normal<T>(of.batch, of.heads, of.queries, of.channels, seed),
          normal<T>(of.batch, of.key_heads, of.keys, of.channels, seed + 1),
          normal<T>(of.batch, of.key_heads, of.keys, of.value_channels, seed + 2)};
}

// The largest absolute difference of two tensors of one size; NaN where one alone is NaN, 0 where both are or both are one infinity.
template <class A, class B>
double worst_difference(const A& a, const B& b) {
  double worst = 0;
  for (Eigen::Index i = 0; i < a.size(); ++i) {
    const double x = double(a.data()[i]), y = double(b.data()[i]);
    if ((std::isnan(x) && std::isnan(y)) || x == y) continue;
    if (!(std::abs(x - y) <= worst)) worst = std::abs(x - y);
    if (std::isnan(worst)) return worst;
  }
  return worst;
}

// Bitwise equality, so that 0 and -0 differ and a NaN equals itself.
template <class A, class B>
bool same_bits(const A& a, const B& b) {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), std::size_t(a.size()) * sizeof(*a.data())) == 0;
}

}  // namespace testing_support

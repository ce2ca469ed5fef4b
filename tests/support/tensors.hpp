#pragma once

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <random>

#include <unsupported/Eigen/CXX11/Tensor>

#include <longspan/core/index.hpp>

#include "worse.hpp"

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

// The largest absolute difference of two tensors. NaN, which passes no bound, where one number alone is NaN or the sizes differ; where
// both numbers are NaN or the same infinity they do not differ.
template <class A, class B>
double worst_difference(const A& a, const B& b) {
  if (a.size() != b.size()) return std::numeric_limits<double>::quiet_NaN();
  double worst = 0;
  for (Eigen::Index i = 0; i < a.size(); ++i) {
    const double x = double(a.data()[i]), y = double(b.data()[i]);
    if (!(std::isnan(x) && std::isnan(y)) && x != y) worst = worse(worst, std::abs(x - y));
  }
  return worst;
}

// Of all numbers: it depends on luck much less than the worst of them does.
template <class A, class B>
double root_mean_square_difference(const A& a, const B& b) {
  if (a.size() != b.size()) return std::numeric_limits<double>::quiet_NaN();
  double squares = 0;
  for (Eigen::Index i = 0; i < a.size(); ++i) squares += std::pow(double(a.data()[i]) - double(b.data()[i]), 2);
  return std::sqrt(squares / double(std::max<Eigen::Index>(a.size(), 1)));
}

// Bitwise equality, so that 0 and -0 differ and a NaN equals itself. std::memcmp takes no null pointer, as that of an empty tensor is.
template <class A, class B>
bool same_bits(const A& a, const B& b) {
  return a.size() == b.size() &&
         (a.size() == 0 || std::memcmp(a.data(), b.data(), std::size_t(a.size()) * sizeof(*a.data())) == 0);
}

}  // namespace testing_support

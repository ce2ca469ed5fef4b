#pragma once

#include <random>

#include <unsupported/Eigen/CXX11/Tensor>

#include <longspan/core/index.hpp>

template <class T>
using tensor = Eigen::Tensor<T, 4, Eigen::RowMajor>;

// Queries, keys and values of standard normal numbers, the same in every run.
template <class T>
struct inputs {
  tensor<T> q, k, v;

  inputs(longspan::index_t heads, longspan::index_t key_heads, longspan::index_t queries, longspan::index_t keys, longspan::index_t channels,
         longspan::index_t value_channels)
      : q(1, heads, queries, channels), k(1, key_heads, keys, channels), v(1, key_heads, keys, value_channels) {
    std::mt19937 generator(1);
    std::normal_distribution<float> normal;
    for (tensor<T>* each : {&q, &k, &v})
      for (Eigen::Index i = 0; i < each->size(); ++i) each->data()[i] = T(normal(generator));
  }
};

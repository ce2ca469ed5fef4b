#pragma once

#include <random>
#include <string>
#include <type_traits>
#include <vector>

#include <unsupported/Eigen/CXX11/Tensor>

#include <longspan/longspan.hpp>

using longspan::index_t;

struct attention_shape {
  index_t heads = 1, key_heads = heads;
  index_t keys = 0, queries = keys;
  index_t channels = 64, value_channels = channels;

  // As the names of benchmarks tell it: what is as usual stays unsaid.
  std::string name() const {
    const auto part = [](const char* what, index_t number) { return std::string("/") + what + ":" + std::to_string(number); };
    return part("heads", heads) + (key_heads == heads ? "" : part("key_heads", key_heads)) + part("n", keys) +
           part("d", channels) + (value_channels == channels ? "" : part("dv", value_channels));
  }
  double key_and_value_elements() const { return double(key_heads * keys) * double(channels + value_channels); }
  double elements() const { return key_and_value_elements() + double(heads * queries) * double(channels + value_channels); }
};

template <class T>
std::string name_of() {
  if (std::is_same_v<T, double>) return "double";
  if (std::is_same_v<T, Eigen::bfloat16>) return "bfloat16";
  return std::is_same_v<T, Eigen::half> ? "half" : "float";
}

// A prime number of standard normal numbers, which the inputs repeat: to draw all of the longest takes longer than to attend.
inline const std::vector<float>& normal_numbers() {
  static const std::vector<float> numbers = [] {
    std::mt19937 generator(1);
    std::normal_distribution<float> normal;
    std::vector<float> drawn(65537);
    for (float& each : drawn) each = normal(generator);
    return drawn;
  }();
  return numbers;
}

template <class T>
using tensor = Eigen::Tensor<T, 4, Eigen::RowMajor>;
// What sums of T are kept in.
template <class T>
using sum_of = std::conditional_t<std::is_same_v<T, double>, double, float>;

// The tensors of one call, the same in every run. The output is written once: no run meets memory that nothing has touched.
template <class T>
struct attention_tensors {
  tensor<T> q, k, v, output;

  explicit attention_tensors(const attention_shape& s)
      : q(1, s.heads, s.queries, s.channels),
        k(1, s.key_heads, s.keys, s.channels),
        v(1, s.key_heads, s.keys, s.value_channels),
        output(1, s.heads, s.queries, s.value_channels) {
    const std::vector<float>& numbers = normal_numbers();
    std::size_t drawn = 0;
    for (tensor<T>* each : {&q, &k, &v})
      for (Eigen::Index i = 0; i < each->size(); ++i) each->data()[i] = T(numbers[drawn++ % numbers.size()]);
    output.setZero();
  }

  template <class Mechanism>
  void attend(const Mechanism& mechanism) {
    longspan::forward_into(mechanism, q, k, v, output);
  }
  template <class Mechanism>
  void attend(const Eigen::ThreadPoolDevice& device, const Mechanism& mechanism) {
    longspan::forward_into(device, mechanism, q, k, v, output);
  }
};

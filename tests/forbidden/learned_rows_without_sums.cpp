// expects: a row part with learned numbers needs turn_back(row, gradient, token, sums): see the concept row_part
#include <longspan/longspan.hpp>

// Its gain would be told a gradient of 0.
struct gained_rows {
  longspan::per_channel gain;
  template <class T>
  void turn(std::span<T> row, const longspan::token&) const {
    for (std::size_t c = 0; c < row.size(); ++c) row[c] *= T(gain.values()[c]);
  }
  template <class T>
  void turn_back(std::span<const T>, std::span<T> gradient, const longspan::token& of) const {
    turn(gradient, of);
  }
  auto parameters() { return std::tie(gain); }
};

void refused() {
  const Eigen::Tensor<float, 4, Eigen::RowMajor> q, k, v;
  const auto mechanism = gained_rows{} | longspan::dot_product{} | longspan::causal{};
  const auto kept = longspan::forward(mechanism, q, k, v);
  longspan::backward(mechanism, q, k, v, kept, kept.output);
}

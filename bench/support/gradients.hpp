#pragma once

#include "benchmarks.hpp"

// The tensors of one backward pass, the same in every run, and what a forward pass kept for it.
template <class T>
struct gradient_tensors : attention_tensors<T> {
  tensor<T> d_output, d_q, d_k, d_v;
  Eigen::Tensor<sum_of<T>, 3, Eigen::RowMajor> log_sum_exp;

  explicit gradient_tensors(const attention_shape& s)
      : attention_tensors<T>(s),
        d_output(this->output.dimensions()),
        d_q(this->q.dimensions()),
        d_k(this->k.dimensions()),
        d_v(this->v.dimensions()),
        log_sum_exp(1, s.heads, s.queries) {
    const std::vector<float>& numbers = normal_numbers();
    for (Eigen::Index i = 0; i < d_output.size(); ++i) d_output.data()[i] = T(numbers[std::size_t(i + 7) % numbers.size()]);
    for (tensor<T>* each : {&d_q, &d_k, &d_v}) each->setZero();
  }

  template <class Mechanism>
  void keep(const Mechanism& mechanism) {
    longspan::forward_into(mechanism, this->q, this->k, this->v, this->output, log_sum_exp);
  }
  template <class Mechanism, class Device = Eigen::DefaultDevice>
  void differentiate(const Mechanism& mechanism, const Device& device = {}) {
    longspan::backward_into(device, mechanism, this->q, this->k, this->v, kept(), d_output, d_q, d_k, d_v);
  }
  // The same, and by the learned numbers.
  template <class Mechanism>
  void learn(const Mechanism& mechanism, Mechanism& d_mechanism) {
    longspan::backward_with_parameters_into(mechanism, this->q, this->k, this->v, kept(), d_output, d_q, d_k, d_v, d_mechanism);
  }

 private:
  auto kept() {
    using output_map = Eigen::TensorMap<tensor<T>>;
    using sums_map = Eigen::TensorMap<decltype(log_sum_exp)>;
    return longspan::attended{output_map(this->output.data(), this->output.dimensions()),
                              sums_map(log_sum_exp.data(), log_sum_exp.dimensions())};
  }
};

// Five products instead of two.
template <class T>
void count_backward(benchmark::State& state, const shortest& time, const attention_shape& shape, double pairs, int threads = 1) {
  count<T>(state, time, shape, 2.5 * pairs, threads);
}

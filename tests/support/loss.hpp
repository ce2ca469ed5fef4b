#pragma once

#include <cmath>

#include <longspan/longspan.hpp>

#include "tensors.hpp"

namespace testing_support {

using sums = Eigen::Tensor<double, 3, Eigen::RowMajor>;

// What forward keeps, from the double reference: a mechanism costs seconds to compile for the kernel.
template <class T, class Mechanism>
longspan::attended<tensor<T>, Eigen::Tensor<T, 3, Eigen::RowMajor>> kept_of(const Mechanism& mechanism, const inputs<T>& in,
                                                                            const longspan::placement& where = {}) {
  const auto exact = longspan::reference::attention(mechanism, in.q, in.k, in.v, where);
  return {exact.output.template cast<T>(), exact.log_sum_exp.template cast<T>()};
}

// A loss that is linear in the output and in the log-sum-exp.
struct loss {
  tensor<double> d_output;
  sums d_log_sum_exp;

  template <class Mechanism>
  double operator()(const Mechanism& mechanism, const inputs<double>& in) const {
    const auto attended = longspan::reference::attention(mechanism, in.q, in.k, in.v);
    double sum = 0;
    for (Eigen::Index i = 0; i < d_output.size(); ++i) sum += attended.output.data()[i] * d_output.data()[i];
    for (Eigen::Index i = 0; i < d_log_sum_exp.size(); ++i)
      if (attended.log_sum_exp.data()[i] > -HUGE_VAL) sum += attended.log_sum_exp.data()[i] * d_log_sum_exp.data()[i];
    return sum;
  }
};

// A central difference, right to the fourth power of the step, of value(x) at an offset from where x is.
template <class Value>
double difference(double step, Value value) {
  return (8 * (value(step) - value(-step)) - (value(2 * step) - value(-2 * step))) / (12 * step);
}

}  // namespace testing_support

// A temperature that is learned: gradient descent on one number of the mechanism, until it attends as a teacher does whose temperature
// it does not know.
#include <cmath>
#include <iostream>

#include <longspan/longspan.hpp>

int main() {
  using Tensor = Eigen::Tensor<float, 4, Eigen::RowMajor>;
  Tensor q(1, 2, 300, 16), k(1, 2, 300, 16), v(1, 2, 300, 16);
  for (Tensor* each : {&q, &k, &v}) each->setRandom<Eigen::internal::NormalRandomGenerator<float>>();

  const double sought = 2.5;
  const auto teacher = longspan::rope{} | longspan::dot_product{} | longspan::temperature{sought} | longspan::causal{};
  const Tensor wanted = longspan::forward(teacher, q, k, v).output;

  auto student = longspan::rope{} | longspan::dot_product{} | longspan::temperature{1} | longspan::causal{};
  const auto& learned = longspan::get<longspan::temperature>(student).factor;
  for (int step = 0; step <= 60; ++step) {
    const auto kept = longspan::forward(student, q, k, v);
    const Tensor d_output = (kept.output - wanted) / float(wanted.size());  // of half the mean square
    const auto gradient = longspan::backward_with_parameters(student, q, k, v, kept, d_output);
    longspan::for_each_learned(student, gradient.d_mechanism, [](double& number, double slope) { number -= 4 * slope; });
    if (step % 10 == 0) std::cout << "step " << step << ": temperature " << learned.value << '\n';
  }
  return std::abs(learned.value - sought) < 0.01 ? 0 : 1;
}

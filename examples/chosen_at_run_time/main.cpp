// Attention whose mechanism a file names: this unit knows none of them, and compiles in 2 s.
//   chosen_at_run_time '{"mechanism": "scale_invariant", "trained": 64}'
#include <exception>
#include <iostream>
#include <string>

#include "mechanisms.hpp"

int main(int count, char** arguments) {
  using Tensor = Eigen::Tensor<float, 4, Eigen::RowMajor>;
  try {
    const auto mechanism = mechanism_of(count > 1 ? arguments[1] : R"({"mechanism": "scale_invariant", "trained": 64})");
    Tensor q(1, 4, 200, 32), k(1, 2, 200, 32), v(1, 2, 200, 32);
    for (Tensor* each : {&q, &k, &v}) each->setRandom();
    const auto attended = longspan::forward(mechanism, q, k, v);

    // The same, token by token, over a cache of whatever the mechanism keeps.
    longspan::any_cache<float> cache(mechanism, {.key_heads = 2, .channels = 32, .value_channels = 32});
    cache.append(k, v);
    const Tensor last = q.slice(Eigen::array<Eigen::Index, 4>{0, 0, 199, 0}, Eigen::array<Eigen::Index, 4>{1, 4, 1, 32});
    const Tensor decoded = longspan::forward(mechanism, last, cache).output;

    auto student = mechanism;  // its learned numbers are stepped apart from the other's
    const auto gradient = longspan::backward_with_parameters(student, q, k, v, attended, attended.output);
    longspan::for_each_learned(student, gradient.d_mechanism, [](double& number, double slope) { number -= 0.1 * slope; });

    std::cout << "output " << attended.output(0, 3, 199, 31) << ", decoded " << decoded(0, 3, 0, 31) << ", d_q "
              << gradient.d_query(0, 3, 199, 31) << '\n';
    longspan::for_each_learned(student, [](double number) { std::cout << "learned " << number << '\n'; });
    return attended.output(0, 3, 199, 31) == decoded(0, 3, 0, 31) ? 0 : 1;
  } catch (const std::exception& error) {
    std::cerr << error.what() << '\n';
    return 1;
  }
}

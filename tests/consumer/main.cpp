// One key has all the weight: the output is its value.
#include <iostream>
#include <string>

#include <longspan/longspan.hpp>
#include <longspan/version.hpp>

int main() {
  const auto part = [](int number) { return std::to_string(number); };
  const std::string version =
      part(LONGSPAN_VERSION_MAJOR) + "." + part(LONGSPAN_VERSION_MINOR) + "." + part(LONGSPAN_VERSION_PATCH);
  if (version != VERSION_BY_CMAKE) {
    std::cout << "version.hpp says " << version << ", CMake " << VERSION_BY_CMAKE << '\n';
    return 1;
  }
  Eigen::Tensor<float, 4, Eigen::RowMajor> q(1, 1, 1, 8), k(1, 1, 1, 8), v(1, 1, 1, 8);
  for (auto* t : {&q, &k, &v}) t->setRandom();
  const auto output = longspan::forward(longspan::dot_product{} | longspan::causal{}, q, k, v).output;
  std::cout << "value " << v(0, 0, 0, 3) << ", output " << output(0, 0, 0, 3) << '\n';
  return output(0, 0, 0, 3) == v(0, 0, 0, 3) ? 0 : 1;
}

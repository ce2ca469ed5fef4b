// A temperature for each head, fitted to queries and keys: the entropy of attention stays what it is at the trained length.
#include <cmath>
#include <iostream>

#include <longspan/longspan.hpp>

using namespace longspan;
using Tensor = Eigen::Tensor<float, 4, Eigen::RowMajor>;

int main() {
  Tensor q(1, 2, 100, 32), k(1, 1, 100, 32), v(1, 1, 100, 32);
  for (Tensor* t : {&q, &k, &v}) {
    t->setRandom();
    *t = *t * 4.f - 2.f;
  }

  // A temperature for each head that keeps the mean entropy of this model's attention at what it is over 40 keys.
  const auto plain = rope{} | dot_product{} | causal{};
  const calibrated_temperature fitted = calibrate(plain, q, k, {.trained = 40, .lengths = {60, 100}});
  const auto tempered = longspan::forward(rope{} | dot_product{} | fitted | causal{}, q, k, v);

  for (index_t h = 0; h < 2; ++h)
    for (const index_t n : {40, 60, 100}) std::cout << "head " << h << " at " << n << " keys: " << fitted.factor(n, h) << '\n';
  return fitted.factor(100, 0) > 1 && std::isfinite(tempered.output(0, 1, 99, 0)) ? 0 : 1;
}

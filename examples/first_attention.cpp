// Tensors in, tensors out: the first attention, held against its definition.
#include <iostream>

#include <longspan/longspan.hpp>

using Tensor = Eigen::Tensor<float, 4, Eigen::RowMajor>;  // (batch, head, token, channel)

int main() {
  // Eight query heads share two key heads. A value may have fewer channels than a key.
  Tensor q(1, 8, 100, 64), k(1, 2, 100, 64), v(1, 2, 100, 32);
  for (Tensor* t : {&q, &k, &v}) t->setRandom();

  // A mechanism is a sentence in the order the data flows: rows, score, logits, mask.
  const auto mechanism = longspan::rope{} | longspan::dot_product{} | longspan::log_n{.trained = 512} | longspan::causal{};
  const auto attended = longspan::forward(mechanism, q, k, v);
  std::cout << "output: " << attended.output.dimension(1) << " heads, " << attended.output.dimension(2) << " tokens, "
            << attended.output.dimension(3) << " channels\n";

  // The definition holds a matrix of all weights, in double. The fused one never does.
  const auto expected = longspan::reference::attention(mechanism, q, k, v);
  const Eigen::Tensor<double, 0, Eigen::RowMajor> worst =
      (attended.output.cast<double>() - expected.output).abs().maximum<Eigen::PropagateNaN>();
  std::cout << "worst difference from the definition: " << worst() << '\n';

  // One token more: the last row of a longer text attends alone, as in decoding, and to the same result.
  const longspan::view<const float> last{q.data() + 99 * 64, {1, 8, 1, 64}, {8 * 100 * 64, 100 * 64, 64, 1}};
  const auto decoded = longspan::forward(mechanism, last, k, v);
  const bool same = decoded.output(0, 7, 0, 31) == attended.output(0, 7, 99, 31);
  std::cout << "decoded alone, the last token is " << (same ? "the same to the bit" : "different") << '\n';
  return worst() < 1e-5 && same ? 0 : 1;
}

// Texts of different lengths in one call: packed one behind the other, as for training, and padded, as when engines decode.
#include <algorithm>
#include <array>
#include <cmath>
#include <iostream>

#include <longspan/longspan.hpp>

using Tensor = Eigen::Tensor<float, 4, Eigen::RowMajor>;

Tensor random_tensor(Eigen::Index batch, Eigen::Index heads, Eigen::Index tokens, Eigen::Index channels) {
  Tensor made(batch, heads, tokens, channels);
  made.setRandom();
  return made * 2.f - 1.f;
}
Tensor tokens_of(const Tensor& t, Eigen::Index batch, Eigen::Index first, Eigen::Index tokens) {
  return t.slice(Eigen::array<Eigen::Index, 4>{batch, 0, first, 0},
                 Eigen::array<Eigen::Index, 4>{1, t.dimension(1), tokens, t.dimension(3)});
}
bool same(const Tensor& a, const Tensor& b) {
  return a.size() == b.size() && std::equal(a.data(), a.data() + a.size(), b.data());
}

int main() {
  using longspan::index_t, longspan::placement;
  const auto mechanism = longspan::rope{} | longspan::dot_product{} | longspan::log_n{.trained = 16} | longspan::causal{};
  const Tensor q = random_tensor(1, 4, 60, 32), k = random_tensor(1, 2, 60, 32), v = random_tensor(1, 2, 60, 32),
               d_output = random_tensor(1, 4, 60, 32);

  // Three texts, one behind the other: where each begins, and the end.
  const std::array<index_t, 4> starts{0, 20, 21, 60};
  const placement packed{.query_starts = starts, .key_starts = starts};
  const auto attended = longspan::forward(mechanism, q, k, v, packed);
  const auto [d_q, d_k, d_v] = longspan::backward(mechanism, q, k, v, attended, d_output, packed);

  // The next token of each of four texts, whose keys lie in a padded buffer.
  const Tensor next = random_tensor(4, 4, 1, 32), keys = random_tensor(4, 2, 112, 32), values = random_tensor(4, 2, 112, 32);
  const std::array<index_t, 4> lengths{100, 37, 112, 1};
  const auto decoded = longspan::forward(mechanism, next, keys, values, placement{.key_lengths = lengths});

  // Each has the bits that it has alone.
  bool right = true;
  for (std::size_t t = 0; t + 1 < starts.size(); ++t) {
    const auto own = [&](const Tensor& all) { return tokens_of(all, 0, starts[t], starts[t + 1] - starts[t]); };
    const auto alone = longspan::forward(mechanism, own(q), own(k), own(v));
    const auto gradients = longspan::backward(mechanism, own(q), own(k), own(v), alone, own(d_output));
    right = right && same(own(attended.output), alone.output) && same(own(d_q), gradients.d_query) &&
            same(own(d_k), gradients.d_key) && same(own(d_v), gradients.d_value);
  }
  for (Eigen::Index b = 0; b < 4; ++b) {
    const auto own = [&](const Tensor& all) { return tokens_of(all, b, 0, lengths[std::size_t(b)]); };
    right = right && same(tokens_of(decoded.output, b, 0, 1),
                          longspan::forward(mechanism, tokens_of(next, b, 0, 1), own(keys), own(values)).output);
  }
  std::cout << (right ? "every text has the output and the gradients that it has alone\n" : "a text differs\n");
  return right ? 0 : 1;
}

// Generating: the README's example.
#include <iostream>

#include <longspan/longspan.hpp>

using namespace longspan;
using Tensor = Eigen::Tensor<float, 4, Eigen::RowMajor>;

Tensor random_tensor(index_t batch, index_t heads, index_t tokens, index_t channels) {
  Tensor made(batch, heads, tokens, channels);
  made.setRandom();
  return made;
}

int main() {
  const auto mechanism = rope{} | dot_product{} | causal{};
  const Tensor q = random_tensor(1, 4, 100, 64), k = random_tensor(1, 2, 100, 64), v = random_tensor(1, 2, 100, 64);

  // A prompt, then token by token: keys are turned once, when they are appended.
  kv_cache<float> cache(mechanism, {.key_heads = 2, .channels = 64, .value_channels = 64});
  cache.append(k, v);
  const Tensor of_prompt = longspan::forward(mechanism, q, cache).output;
  for (int token = 0; token < 3; ++token) {
    const Tensor next = random_tensor(1, 4, 1, 64), key = random_tensor(1, 2, 1, 64), value = random_tensor(1, 2, 1, 64);
    cache.append(key, value);
    const Tensor output = longspan::forward(mechanism, next, cache).output;
  }

  // Another continuation shares the pages of what both have in common; a guess that was wrong is taken back.
  auto other = cache;
  other.truncate(other.length() - 2);

  std::cout << cache.length() << " and " << other.length() << " tokens, " << cache.bytes() / 1024 << " KiB\n";
  return of_prompt.dimension(2) == 100 && cache.length() == 103 && other.length() == 101 ? 0 : 1;
}

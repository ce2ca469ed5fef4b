// One query over a cache of keys and values. Each call reads the cache of another layer, as a model does, so that every key and
// value comes from memory; GB/s counts each of them once, however many query heads share it.
#include <vector>

#include "support/benchmarks.hpp"

namespace {

using longspan::causal, longspan::dot_product;

template <class T>
void decode(benchmark::State& state, const attention_shape& shape) {
  const double bytes = shape.elements() * sizeof(T);
  std::vector<attention_tensors<T>> layers(std::size_t(roofline::beyond_caches() / bytes) + 1, attention_tensors<T>(shape));
  std::size_t calls = 0;
  const shortest time = run(state, [&] { layers[calls++ % layers.size()].attend(dot_product{} | causal{}); });
  count<T>(state, time, shape, all_pairs(shape));
}

template <class T>
void add_decode(const attention_shape& shape) {
  add("decode/" + name_of<T>() + shape.name(), [=](benchmark::State& state) { decode<T>(state, shape); });
}

}  // namespace

void add_benchmarks() {
  for (const index_t n : {4096, 32768}) {
    add_decode<float>({.heads = 32, .key_heads = 8, .keys = n, .queries = 1, .channels = 128});
    add_decode<float>({.heads = 8, .keys = n, .queries = 1, .channels = 128});
    add_decode<Eigen::bfloat16>({.heads = 32, .key_heads = 8, .keys = n, .queries = 1, .channels = 128});
  }
}

// Two threads and one, in turn on the same tensors.
#include "support/benchmarks.hpp"

namespace {

constexpr int threads = 2;

void scaling(benchmark::State& state, const attention_shape& shape, double pairs) {
  Eigen::ThreadPool pool(threads);
  const Eigen::ThreadPoolDevice device(&pool, threads);
  attention_tensors<float> tensors(shape);
  const auto mechanism = longspan::dot_product{} | longspan::causal{};
  const both times = run_in_turn(state, [&] { tensors.attend(mechanism); }, [&] { tensors.attend(device, mechanism); });
  count<float>(state, times.other, shape, pairs, threads);
  state.counters["x one thread"] = 1 / times.ratio();
}

void add_prefill(const attention_shape& shape) {
  add("threads/prefill" + shape.name(), [=](benchmark::State& state) { scaling(state, shape, causal_pairs(shape)); });
}

// The keys and values of 4096 tokens stay in a cache; those of 32768 do not, where one core may take all the bandwidth there is.
void add_decode(const attention_shape& shape) {
  add("threads/decode" + shape.name(), [=](benchmark::State& state) { scaling(state, shape, all_pairs(shape)); });
}

}  // namespace

void add_benchmarks() {
  add_prefill({.heads = 8, .keys = 2048});
  add_prefill({.heads = 1, .keys = 16384});
  for (const index_t n : {4096, 32768}) add_decode({.heads = 8, .key_heads = 1, .keys = n, .queries = 1, .channels = 128});
}

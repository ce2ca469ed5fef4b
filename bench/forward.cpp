// The forward pass on one thread. Causal work counts half. Narrow tensors run in turn with float tensors of the same shape.
#include "support/benchmarks.hpp"

namespace {

using longspan::causal, longspan::dot_product, longspan::everything;

template <class T>
void add_forward(const attention_shape& shape) {
  add("forward/" + name_of<T>() + "/causal" + shape.name(), [=](benchmark::State& state) {
    attention_tensors<T> tensors(shape);
    count<T>(state, run(state, [&] { tensors.attend(dot_product{} | causal{}); }), shape, causal_pairs(shape));
  });
  add("forward/" + name_of<T>() + "/full" + shape.name(), [=](benchmark::State& state) {
    attention_tensors<T> tensors(shape);
    count<T>(state, run(state, [&] { tensors.attend(dot_product{} | everything{}); }), shape, all_pairs(shape));
  });
}

template <class T>
void add_narrow(const attention_shape& shape) {
  add("forward/" + name_of<T>() + "/causal" + shape.name(), [=](benchmark::State& state) {
    attention_tensors<float> wide(shape);
    attention_tensors<T> narrow(shape);
    const auto mechanism = dot_product{} | causal{};
    const both times = run_in_turn(state, [&] { wide.attend(mechanism); }, [&] { narrow.attend(mechanism); });
    count<T>(state, times.other, shape, causal_pairs(shape));
    state.counters["x float"] = 1 / times.ratio();
  });
}

}  // namespace

void add_benchmarks() {
  for (const index_t d : {64, 128}) {
    add_forward<float>({.heads = 8, .keys = 512, .channels = d});
    for (const index_t n : {2048, 4096}) add_forward<float>({.keys = n, .channels = d});
  }
  for (const index_t d : {64, 80, 96}) add_forward<float>({.keys = 1000, .channels = d});
  add_forward<float>({.keys = 1000, .channels = 64, .value_channels = 40});
  add_forward<double>({.keys = 4096});
  add_narrow<Eigen::bfloat16>({.keys = 4096});
  add_narrow<Eigen::half>({.keys = 4096});
}

// How cost grows: each length runs in turn with half of it.
#include "support/benchmarks.hpp"

namespace {

template <class Mechanism>
void add_growth(const std::string& name, index_t n, const Mechanism& mechanism, double (*pairs)(const attention_shape&)) {
  const attention_shape whole{.keys = n}, half{.keys = n / 2};
  add("lengths/" + name + whole.name(), [=](benchmark::State& state) {
    attention_tensors<float> tensors(whole), half_tensors(half);
    const both times = run_in_turn(state, [&] { half_tensors.attend(mechanism); }, [&] { tensors.attend(mechanism); });
    count<float>(state, times.other, whole, pairs(whole));
    state.counters["growth"] = times.ratio();
  });
}

}  // namespace

void add_benchmarks() {
  using longspan::dot_product;
  for (const index_t n : {2048, 4096, 8192, 16384}) {
    add_growth("causal", n, dot_product{} | longspan::causal{}, causal_pairs);
    add_growth("window:1024", n, dot_product{} | longspan::sliding_window{1023}, window_pairs<1024>);
  }
}

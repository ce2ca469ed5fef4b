// The forward pass, float and double, causal and not, as a share of the peak of one core. Causal work counts half.
#include <benchmark/benchmark.h>

#include <longspan/longspan.hpp>

#include "support/inputs.hpp"
#include "support/roofline.hpp"

namespace {

template <class T, class Mask>
void forward(benchmark::State& state) {
  const longspan::index_t heads = state.range(0), n = state.range(1), d = state.range(2), value_channels = state.range(3);
  const inputs<T> in(heads, heads, n, n, d, value_channels);
  const auto mechanism = longspan::dot_product{} | Mask{};
  tensor<T> output(1, heads, n, value_channels);
  roofline::shortest run;
  for (auto _ : state) run.time([&] { longspan::forward_into(mechanism, in.q, in.k, in.v, output); });
  const bool half = std::is_same_v<Mask, longspan::causal>;
  roofline::count<T>(state, run, double(heads) * double(n) * double(n) * double(d + value_channels) * (half ? 1 : 2), double(n));
}

void shapes(benchmark::internal::Benchmark* bench) {
  bench->ArgNames({"heads", "n", "d", "dv"})->Unit(benchmark::kMillisecond)->MinTime(0.5);
  for (const int d : {64, 128})
    for (const int n : {512, 2048, 4096}) bench->Args({n == 512 ? 8 : 1, n, d, d});
  bench->Args({1, 1000, 80, 80})->Args({1, 1000, 96, 96})->Args({1, 1000, 64, 40});
}

BENCHMARK_TEMPLATE(forward, float, longspan::causal)->Apply(shapes);
BENCHMARK_TEMPLATE(forward, float, longspan::everything)->Apply(shapes);
BENCHMARK_TEMPLATE(forward, double, longspan::causal)->Args({1, 2048, 64, 64})->Args({1, 2048, 128, 128})->Unit(benchmark::kMillisecond);

}  // namespace

BENCHMARK_MAIN();

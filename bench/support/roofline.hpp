#pragma once

#include <algorithm>
#include <chrono>
#include <limits>
#include <vector>

#include <benchmark/benchmark.h>

#include <longspan/simd/batch.hpp>
#include <longspan/simd/multiply_add.hpp>
#include <longspan/tile/buffer.hpp>

// What this machine can do, measured in this process: every figure of the benchmarks is a share of it.
namespace roofline {

inline double seconds() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

// Multiply-adds of T a second, as flop/s, of one core: 24 independent chains (12 where there are 16 registers) in the registers of the
// instruction set the benchmark was built for. The best of eight runs of some 20 ms.
template <class T>
double measure_flops() {
  using Batch = longspan::batch<T>;
  constexpr int chains = sizeof(Batch) == 64 ? 24 : 12;
  constexpr long steps = 2'000'000;
  double best = 0;
  for (int run = 0; run < 8; ++run) {
    Batch sum[chains];
    for (int c = 0; c < chains; ++c) sum[c] = Batch(T(c));
    Batch x(T(0.999)), y(T(1e-3));
    benchmark::DoNotOptimize(x);
    benchmark::DoNotOptimize(y);
    const double begin = seconds();
    for (long s = 0; s < steps; ++s) {
#pragma GCC unroll 24
      for (int c = 0; c < chains; ++c) sum[c] = longspan::simd::multiply_add(x, sum[c], y);
    }
    const double taken = seconds() - begin;
    for (int c = 0; c < chains; ++c) benchmark::DoNotOptimize(sum[c]);
    best = std::max(best, 2.0 * chains * double(longspan::simd::lanes<Batch>) * double(steps) / taken);
  }
  return best;
}

// Measured once a process, at first use.
template <class T>
double flops() {
  static const double measured = measure_flops<T>();
  return measured;
}

// The shortest of several runs: what the code takes when the machine leaves it alone.
class shortest {
 public:
  template <class Work>
  double time(const Work& work) {
    const double begin = seconds();
    work();
    const double taken = seconds() - begin;
    best_ = std::min(best_, taken);
    return taken;
  }
  double best() const { return best_; }

 private:
  double best_ = std::numeric_limits<double>::infinity();
};

// The counters of every benchmark, from its shortest run: work in flop, the share of the peak measured in this process (of as many
// cores as threads), and tokens.
template <class T>
void count(benchmark::State& state, const shortest& run, double flop, double tokens, int threads = 1) {
  state.counters["GFLOP/s"] = flop / run.best() * 1e-9;
  state.counters["of peak"] = flop / run.best() / (flops<T>() * threads);
  state.counters["tokens/s"] = tokens / run.best();
}

}  // namespace roofline

// What the machine can do: the multiply-add peak and the read bandwidth of one core, against which all other figures stand.
#include "support/benchmarks.hpp"

namespace {

template <class Measure>
void add_roof(const char* name, const char* unit, const Measure& measure) {
  add(name, [=](benchmark::State& state) {
    double best = 0;
    for (auto _ : state) {
      const double begin = seconds();
      best = measure();
      state.SetIterationTime(seconds() - begin);
    }
    state.counters[unit] = best * 1e-9;
  });
}

}  // namespace

void add_benchmarks() {
  add_roof("peak/float", "GFLOP/s", roofline::flops<float>);
  add_roof("peak/double", "GFLOP/s", roofline::flops<double>);
  add_roof("bandwidth", "GB/s", roofline::bandwidth);
}

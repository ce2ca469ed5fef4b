// What a mechanism costs above plain causal attention of the same shape: both run in turn in every iteration, so that the noise of the
// machine falls on both, and the best runs of each are compared.
#include <benchmark/benchmark.h>

#include <longspan/longspan.hpp>

#include "support/inputs.hpp"
#include "support/roofline.hpp"

namespace {

using namespace longspan;

constexpr index_t n = 4096, d = 64;

template <class Mechanism>
void cost(benchmark::State& state, const Mechanism& mechanism) {
  const inputs<float> in(1, 1, n, n, d, d);
  tensor<float> output(1, 1, n, d);
  roofline::shortest plain, run;
  for (auto _ : state) {
    plain.time([&] { forward_into(dot_product{} | causal{}, in.q, in.k, in.v, output); });
    state.SetIterationTime(run.time([&] { forward_into(mechanism, in.q, in.k, in.v, output); }));
  }
  state.counters["over plain"] = run.best() / plain.best() - 1;
  roofline::count<float>(state, run, double(n) * double(n) * double(2 * d), double(n));
}

// A user's transform that reads positions; ALiBi is the same thing built in.
struct own_decay {
  float slope;
  auto operator()(const query_row& row) const {
    const float here = float(row.position);
    return [=, slope = slope](auto logit, const auto& keys) { return logit + slope * (keys.position() - here); };
  }
};

template <class Mechanism>
void add(const char* name, const Mechanism& mechanism) {
  benchmark::RegisterBenchmark(name, [=](benchmark::State& state) { cost(state, mechanism); })
      ->UseManualTime()
      ->Unit(benchmark::kMillisecond)
      ->MinTime(0.5);
}

}  // namespace

int main(int count, char** arguments) {
  add("plain", dot_product{} | causal{});
  add("temperature", dot_product{} | temperature{0.5} | causal{});
  add("rope", rope{} | dot_product{} | causal{});
  add("p_rope", p_rope{} | dot_product{} | causal{});
  add("info_scale", dot_product{} | info_scale{.trained = 512} | causal{});
  add("log_n", dot_product{} | log_n{.trained = 512} | causal{});
  add("ss_max", dot_product{} | ss_max{.scale = 0.43} | causal{});
  add("cosine + cos_scale + info_scale", cosine{} | cos_scale{64} | info_scale{.trained = 512} | causal{});
  add("scale_invariant", dot_product{} | scale_invariant{} | causal{});
  add("alibi", dot_product{} | alibi{} | causal{});
  add("by_distance", dot_product{} | by_distance{[](index_t t) { return -0.01 * double(t); }} | causal{});
  add("softcap", dot_product{} | softcap{50} | causal{});
  add("a user's own decay", dot_product{} | own_decay{0.004f} | causal{});
  benchmark::Initialize(&count, arguments);
  if (benchmark::ReportUnrecognizedArguments(count, arguments)) return 1;
  benchmark::RunSpecifiedBenchmarks();
}

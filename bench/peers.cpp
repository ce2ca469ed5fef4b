// What users would pick instead, each in turn with longspan on the same tensors and one thread. A peer is a module beside this
// program; one that could not be built is not there, and is left out with a word.
#include <dlfcn.h>

#include <stdlib.h>
#include <cmath>

#include <iostream>
#include <memory>

#include "peers/peer.hpp"
#include "support/benchmarks.hpp"

namespace {

using longspan::causal, longspan::dot_product, longspan::everything;

// The largest difference between two outputs of standard normal inputs that single precision explains, with room.
constexpr float tolerance = 1e-3f;

struct peer_module {
  std::string name;
  decltype(&make_peer) make;
  decltype(&peer_version) version;
};

// RTLD_LOCAL keeps the names of a module and of the libraries that it brings to themselves.
peer_module open(const std::string& name) {
  void* const module = dlopen((LONGSPAN_PEERS "/peer_" + name + ".so").c_str(), RTLD_NOW | RTLD_LOCAL);
  if (!module) return {name, nullptr, nullptr};
  return {name, reinterpret_cast<decltype(&make_peer)>(dlsym(module, "make_peer")),
          reinterpret_cast<decltype(&peer_version)>(dlsym(module, "peer_version"))};
}

// The largest difference; a NaN, where there is one, is no smaller than anything.
float difference(const tensor<float>& output, const float* other) {
  float largest = 0;
  for (Eigen::Index i = 0; i < output.size(); ++i) {
    const float difference = std::abs(output.data()[i] - other[i]);
    if (!(difference <= largest)) largest = difference;
    if (std::isnan(largest)) break;
  }
  return largest;
}

template <class Mask>
void compare(benchmark::State& state, const peer_module& module, const attention_shape& shape, double pairs) {
  constexpr bool is_causal = std::is_same_v<Mask, causal>;
  attention_tensors<float> tensors(shape);
  const auto mechanism = dot_product{} | Mask{};
  const std::unique_ptr<peer> other(
      module.make({shape.heads, shape.keys, shape.channels, is_causal, tensors.q.data(), tensors.k.data(), tensors.v.data()}));
  tensors.attend(mechanism);
  other->attend();
  if (!(difference(tensors.output, other->output()) < tolerance)) return state.SkipWithError("computes something else");
  const both times = run_in_turn(state, [&] { tensors.attend(mechanism); }, [&] { other->attend(); });
  count<float>(state, times.other, shape, pairs);
  state.counters["longspan of peak"] = state.counters["of peak"] * times.ratio();
  state.counters["longspan x faster"] = times.ratio();
}

void add_peer(const peer_module& module, const attention_shape& shape) {
  add("peers/" + module.name + "/causal" + shape.name(),
      [=](benchmark::State& state) { compare<causal>(state, module, shape, causal_pairs(shape)); });
  add("peers/" + module.name + "/full" + shape.name(),
      [=](benchmark::State& state) { compare<everything>(state, module, shape, all_pairs(shape)); });
}

}  // namespace

void add_benchmarks() {
  // Before the modules bring libraries that read these once.
  for (const char* each : {"OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"}) setenv(each, "1", true);
  for (const char* name : {"eigen", "openblas", "onednn", "torch"}) {
    const peer_module module = open(name);
    if (!module.make) {
      std::cerr << "Skipped: " << dlerror() << '\n';
      continue;
    }
    benchmark::AddCustomContext(name, module.version());
    for (const index_t d : {64, 128})
      for (const index_t n : {512, 2048, 4096}) add_peer(module, {.heads = 8, .keys = n, .channels = d});
  }
}

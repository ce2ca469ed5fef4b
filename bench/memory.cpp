// The memory of a call on top of its tensors: the peak of what is resident, whoever asked for it and by whatever means.
#include <malloc.h>

#include <fstream>

#include "support/benchmarks.hpp"
#include "support/gradients.hpp"

namespace {

constexpr double mebi = 1 << 20;

// "VmRSS:", resident now, or "VmHWM:", the most since the last reset, in MiB (Linux).
double resident(const std::string& which) {
  std::ifstream status("/proc/self/status");
  for (std::string word; status >> word;)
    if (double kibi; word == which && status >> kibi) return kibi / 1024;
  return 0;
}
bool reset_peak() { return bool(std::ofstream("/proc/self/clear_refs") << "5" << std::flush); }

// Counts the peak of one run of work above what is resident when it begins. Large blocks go back to the system at once, so that what an
// earlier call has left is not there to hide in.
template <class Work>
shortest run_and_count_memory(benchmark::State& state, const attention_shape& shape, const Work& work) {
  mallopt(M_MMAP_THRESHOLD, 128 << 10);
  malloc_trim(0);
  const double before = resident("VmRSS:");
  if (!reset_peak()) {
    state.SkipWithError("the peak of resident memory cannot be reset here");
    return {};
  }
  const shortest time = run(state, work);
  const double extra = resident("VmHWM:") - before;
  state.counters["MiB extra"] = extra;
  state.counters["x keys and values"] = extra * mebi / (shape.key_and_value_elements() * sizeof(float));
  return time;
}

template <class Mechanism>
void add_memory(const std::string& name, const Mechanism& mechanism, double (*pairs)(const attention_shape&)) {
  const attention_shape shape{.keys = 131072};
  add("memory/" + name + shape.name(), [=](benchmark::State& state) {
    attention_tensors<float> tensors(shape);
    const shortest time = run_and_count_memory(state, shape, [&] { tensors.attend(mechanism); });
    count<float>(state, time, shape, pairs(shape));
    state.counters["MiB of tensors"] = shape.elements() * sizeof(float) / mebi;
  })->Iterations(1);
}

template <class Mechanism>
void add_backward_memory(const std::string& name, const Mechanism& mechanism, double (*pairs)(const attention_shape&)) {
  const attention_shape shape{.keys = 65536};
  add("memory/" + name + shape.name(), [=](benchmark::State& state) {
    gradient_tensors<float> tensors(shape);
    tensors.keep(mechanism);
    const shortest time = run_and_count_memory(state, shape, [&] { tensors.differentiate(mechanism); });
    count_backward<float>(state, time, shape, pairs(shape));
    state.counters["MiB of tensors"] = 2 * shape.elements() * sizeof(float) / mebi;
  })->Iterations(1);
}

}  // namespace

void add_benchmarks() {
  using longspan::dot_product;
  add_memory("window:1024", dot_product{} | longspan::sliding_window{1023}, window_pairs<1024>);
  add_memory("causal", dot_product{} | longspan::causal{}, causal_pairs);
  add_backward_memory("causal_backward", dot_product{} | longspan::causal{}, causal_pairs);
}

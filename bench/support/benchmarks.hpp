#pragma once

#include <algorithm>
#include <string>

#include <benchmark/benchmark.h>

#include "attention.hpp"
#include "roofline.hpp"
#include "stopwatch.hpp"

// Every program says here which benchmarks it has; support/main.cpp runs them.
void add_benchmarks();

template <class Body>
benchmark::internal::Benchmark* add(const std::string& name, const Body& body) {
  return benchmark::RegisterBenchmark(name.c_str(), body)->UseManualTime()->Unit(benchmark::kMillisecond);
}

// Pairs of a query and a key that a mask lets meet, of one head.
inline double all_pairs(const attention_shape& s) { return double(s.queries) * double(s.keys); }
inline double causal_pairs(const attention_shape& s) { return all_pairs(s) / 2; }
// All rows but the first see a whole window; for a window as long as the keys the same as causal.
template <index_t window>
double window_pairs(const attention_shape& s) {
  const double width = double(std::min(window, s.keys));
  return double(s.queries) * width - width * width / 2;
}

// The counters of every benchmark, from its shortest run: arithmetic and the tensors' bytes a second, as shares too of what as
// many cores as threads can compute and of what one core can read, since cores share the memory; and tokens.
template <class T>
void count(benchmark::State& state, const shortest& time, const attention_shape& shape, double pairs, int threads = 1) {
  const double flop = 2 * double(shape.heads) * pairs * double(shape.channels + shape.value_channels);
  const double bytes = shape.elements() * double(sizeof(T));
  state.counters["GFLOP/s"] = flop / time.best() * 1e-9;
  state.counters["of peak"] = flop / time.best() / (roofline::flops<sum_of<T>>() * threads);
  state.counters["GB/s"] = bytes / time.best() * 1e-9;
  state.counters["of bandwidth"] = bytes / time.best() / roofline::bandwidth();
  state.counters["tokens/s"] = double(shape.queries) / time.best();
}

#pragma once

#include <algorithm>
#include <vector>

#include <benchmark/benchmark.h>

#include <longspan/simd/batch.hpp>
#include <longspan/simd/multiply_add.hpp>
#include <longspan/tile/buffer.hpp>

#include "stopwatch.hpp"

// What one core of this machine can do, measured in this process: every figure of the benchmarks is a share of it. Each question
// measures anew, and the best of all answers so far counts, so that no share profits from a moment in which the machine was slow.
namespace roofline {

// Seconds of `steps` rounds of multiply-adds in independent chains, as many as hide the latency and leave room for both constants.
template <class Batch, int chains>
double time_multiply_adds(long steps) {
  using T = longspan::simd::scalar<Batch>;
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
  return taken;
}

// Multiply-adds of T as flop/s, in the registers of the instruction set the benchmark was built for. Bursts of some 5 ms.
template <class T>
double flops() {
  using Batch = longspan::batch<T>;
  constexpr int chains = sizeof(Batch) == 64 ? 24 : 12;
  constexpr long steps = 500'000;
  static double best = 0;
  for (int burst = 0; burst < 8; ++burst)
    best = std::max(best, 2.0 * chains * double(longspan::simd::lanes<Batch>) * double(steps) / time_multiply_adds<Batch, chains>(steps));
  return best;
}

// Enough bytes that no cache keeps what is read over and over.
inline double beyond_caches() {
  double largest = 16 << 20;
  for (const auto& cache : benchmark::CPUInfo::Get().caches) largest = std::max(largest, double(cache.size));
  return 8 * largest;
}

// Seconds to read the memory once, as `streams` parts that are read abreast, a cache line of each at a time.
template <int streams>
double time_reading(const longspan::buffer<float>& memory) {
  using Batch = longspan::batch<float>;
  constexpr long lanes = longspan::simd::lanes<Batch>, line = std::max(16l, lanes);
  const long part = long(memory.size()) / streams / line * line;
  Batch sum[line / lanes];
  for (Batch& each : sum) each = Batch(0.f);
  const double begin = seconds();
  for (long at = 0; at < part; at += line)
    for (int s = 0; s < streams; ++s)
      for (long l = 0; l < line / lanes; ++l) sum[l] += longspan::simd::load<Batch>(memory.data() + s * part + at + l * lanes);
  const double taken = seconds() - begin;
  for (Batch& each : sum) benchmark::DoNotOptimize(each);
  return taken;
}

// Bytes a second that one core reads, from memory like that of any tensor. Several streams keep more prefetchers busy than one.
inline double bandwidth() {
  static const longspan::buffer<float> memory(std::size_t(beyond_caches() / sizeof(float)), 1.f);
  static double best = 0;
  const double bytes = double(memory.size() * sizeof(float));
  for (int pass = 0; pass < 3; ++pass)
    best = std::max({best, bytes / time_reading<1>(memory), bytes / time_reading<4>(memory), bytes / time_reading<8>(memory)});
  return best;
}

}  // namespace roofline

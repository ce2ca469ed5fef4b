#pragma once

#include <algorithm>
#include <future>
#include <vector>

#include <benchmark/benchmark.h>
#include <Eigen/Core>

#include <longspan/simd/batch.hpp>
#include <longspan/simd/multiply_add.hpp>

#include "stopwatch.hpp"

// What one core of this machine can do, measured in this process: every figure of the benchmarks is a share of it. Each question
// measures anew, and the best of all answers so far counts, so that no share profits from a moment in which the machine was slow.
namespace roofline {

// Keeps the compiler from knowing what a register holds: it then computes each product anew. No instruction comes of it.
template <class Batch>
void hide(Batch& x) {
  auto held = [&] {
    if constexpr (longspan::simd::is_scalar<Batch>)
      return x;
    else
      return typename Batch::register_type(x);
  }();
#if defined(__aarch64__)
  asm volatile("" : "+w"(held));
#else
  asm volatile("" : "+v"(held));
#endif
  x = held;
}

// Seconds of `steps` rounds of multiply-adds, to as many sums as hide the latency of one. No sum's address is taken: they would be kept
// in memory, at half the speed.
template <class Batch, int sums>
double time_multiply_adds(long steps) {
  using T = longspan::simd::scalar<Batch>;
  Batch sum[sums], x(T(0.999)), y(T(1e-3));
  for (int c = 0; c < sums; ++c) sum[c] = Batch(T(c));
  const double begin = seconds();
  for (long s = 0; s < steps; ++s) {
#pragma GCC unroll 24
    for (int c = 0; c < sums; ++c) {
      hide(x);
      sum[c] = longspan::simd::multiply_add(x, y, sum[c]);
    }
  }
  const double taken = seconds() - begin;
  Batch all(T(0));
  for (int c = 0; c < sums; ++c) all += sum[c];
  benchmark::DoNotOptimize(all);
  return taken;
}

// Multiply-adds of T as flop/s, in the registers of the instruction set the benchmark was built for. Bursts of milliseconds.
template <class T>
double flops() {
  using Batch = longspan::simd::batch<T>;
  constexpr int sums = sizeof(Batch) == 64 ? 24 : 12;
  constexpr long steps = 1'000'000;
  constexpr double flop = 2.0 * sums * double(longspan::simd::lanes<Batch>) * double(steps);
  static double best = 0;
  for (int burst = 0; burst < 8; ++burst) best = std::max(best, flop / time_multiply_adds<Batch, sums>(steps));
  return best;
}

// Enough bytes that no cache keeps what is read over and over: twice the largest, which may be one that hundreds of cores share.
inline double beyond_caches() {
  double largest = 128 << 20;
  for (const auto& cache : benchmark::CPUInfo::Get().caches) largest = std::max(largest, double(cache.size));
  return 2 * largest;
}

// Begins where a register may be loaded at once: a load across two cache lines takes twice the time.
using memory_block = std::vector<float, Eigen::aligned_allocator<float>>;

// Seconds to read the memory once, as `streams` parts that are read abreast, four cache lines of each at a time.
template <long streams>
double time_reading(const memory_block& memory) {
  using Batch = longspan::simd::batch<float>;
  constexpr long lanes = longspan::simd::lanes<Batch>, chunk = 64;
  const long part = long(memory.size()) / streams / chunk * chunk;
  Batch sum[4] = {Batch(0.f), Batch(0.f), Batch(0.f), Batch(0.f)};
  const double begin = seconds();
  for (long at = 0; at < part; at += chunk)
    for (const float* from = memory.data() + at; from < memory.data() + streams * part; from += part) {
#pragma GCC unroll 16
      for (long l = 0; l < chunk / lanes; ++l) sum[l % 4] += longspan::simd::load<Batch>(from + l * lanes);
    }
  const double taken = seconds() - begin;
  for (Batch& each : sum) benchmark::DoNotOptimize(each);
  return taken;
}

// Bytes a second that one core reads, from memory like that of any tensor. Several streams keep more prefetchers busy than one.
inline double bandwidth() {
  static const memory_block memory(std::size_t(beyond_caches() / sizeof(float)), 1.f);
  static double best = 0;
  const double bytes = double(memory.size() * sizeof(float));
  for (int pass = 0; pass < 3; ++pass)
    best = std::max({best, bytes / time_reading<1>(memory), bytes / time_reading<4>(memory), bytes / time_reading<8>(memory)});
  return best;
}

// The same of two cores that read at once, each its own memory.
inline double bandwidth_of_two() {
  static const memory_block memory[2] = {memory_block(std::size_t(beyond_caches() / sizeof(float)), 1.f),
                                         memory_block(std::size_t(beyond_caches() / sizeof(float)), 1.f)};
  static double best = 0;
  const double bytes = 2 * double(memory[0].size() * sizeof(float));
  for (int pass = 0; pass < 5; ++pass) {
    auto other = std::async(std::launch::async, [] { return time_reading<4>(memory[1]); });
    const double own = time_reading<4>(memory[0]);
    best = std::max(best, bytes / std::max(own, other.get()));
  }
  return best;
}

}  // namespace roofline

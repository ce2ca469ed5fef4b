#pragma once

#include <algorithm>
#include <chrono>
#include <limits>

#include <benchmark/benchmark.h>

inline double seconds() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

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

template <class Work>
shortest run(benchmark::State& state, const Work& work) {
  shortest time;
  for (auto _ : state) state.SetIterationTime(time.time(work));
  return time;
}

struct both {
  shortest base, other;
  double ratio() const { return other.best() / base.best(); }
};

// Runs both in turn in every iteration, so that the noise of the machine falls on both.
template <class Base, class Other>
both run_in_turn(benchmark::State& state, const Base& base, const Other& other) {
  both times;
  for (auto _ : state) {
    times.base.time(base);
    state.SetIterationTime(times.other.time(other));
  }
  return times;
}

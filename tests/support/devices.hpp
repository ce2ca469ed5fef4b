#pragma once

#include <thread>
#include <vector>

#include <longspan/core/index.hpp>

namespace testing_support {

// Threads of the standard library, started for each run.
struct std_threads {
  longspan::index_t count;

  longspan::index_t threads() const { return count; }
  void run(longspan::index_t numbers, const auto& work) const {
    std::vector<std::jthread> others;
    for (longspan::index_t n = 1; n < numbers; ++n) others.emplace_back([&work, n] { work(n); });
    if (numbers > 0) work(0);
  }
};

// One thread that begins with the last number.
struct backwards {
  longspan::index_t count;

  longspan::index_t threads() const { return count; }
  void run(longspan::index_t numbers, const auto& work) const {
    while (numbers-- > 0) work(numbers);
  }
};

}  // namespace testing_support

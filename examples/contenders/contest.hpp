#pragma once

#include <cstdio>
#include <vector>

#include "../model/by_length.hpp"
#include "contender.hpp"

// Trains every model that some contenders need, train(contender, seed), and measures each contender with its model at all lengths of a
// table, measure(mechanism, parameters, length). The table is written and printed after every seed.
void contest(const std::vector<contender>& contenders, int seeds, model::by_length& table, const auto& train,
             const auto& measure) {
  for (int seed = 1; seed <= seeds; ++seed) {
    for (const contender& each : contenders) {
      if (!each.is_trained()) continue;
      const model::Vector parameters = train(each, seed);
      for (const contender& other : contenders) {
        if (other.trained_as != each.name) continue;
        for (std::size_t nth = 0; nth < table.lengths().size(); ++nth) {
          const Index n = table.lengths()[nth];
          std::fprintf(stderr, "\r\033[KMeasuring %s at %td", other.name.c_str(), n);
          table.add(other.name, nth, measure(*other.mechanism(n), parameters, n));
        }
        std::fprintf(stderr, "\r\033[K");
      }
    }
    table.write(), table.write_each("seed");
    if (seed > 1) std::printf("Mean and standard error of %d seeds:\n", seed);
    table.print();
  }
}

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
        std::vector<double> at_lengths;
        for (const Index n : table.lengths()) {
          std::fprintf(stderr, "\r\033[KMeasuring %s at %td", other.name.c_str(), n);
          at_lengths.push_back(measure(*other.mechanism(n), parameters, n));
        }
        std::fprintf(stderr, "\r\033[K");
        table.add(other.name, at_lengths);
      }
    }
    table.write();
    if (seed > 1) std::printf("Mean and standard error of %d seeds:\n", seed);
    table.print();
  }
}

#pragma once

#include <array>
#include <cmath>
#include <concepts>
#include <cstdint>
#include <fstream>
#include <functional>
#include <limits>
#include <map>
#include <sstream>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <longspan/longspan.hpp>

#include "onnx_case.hpp"
#include "worse.hpp"

namespace testing_support {

using longspan::index_t;

// What tests/papers/families.py calls numbers(seed, ...): element i of tensor `seed`, by SplitMix64.
inline std::vector<float> family_numbers(index_t seed, index_t size) {
  std::vector<float> made;
  for (std::uint64_t i = 1; i <= std::uint64_t(size); ++i) {
    std::uint64_t z = (i + (std::uint64_t(seed) << 32)) * 0x9E3779B97F4A7C15u;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    z ^= z >> 31;
    made.push_back(float(1.75 * (std::ldexp(double(z >> 40), -23) - 1)));
  }
  return made;
}

// The learned numbers of a norm: `around` + scale times the numbers of a seed.
inline std::vector<double> family_gains(index_t seed, index_t size, double around = 1, double scale = 0.5) {
  std::vector<double> made;
  for (const float number : family_numbers(seed, size)) made.push_back(around + scale * double(number));
  return made;
}

// A file of tests/papers/families: for each layer the rows that enter its output projection.
struct family_file {
  static constexpr index_t tokens = 300;
  static constexpr std::array<index_t, 10> rows{0, 1, 2, 31, 63, 64, 65, 150, 256, 299};
  std::vector<std::vector<double>> layers;  // (row, head, channel)

  explicit family_file(const std::string& name) {
    std::ifstream file(test_data() / "papers" / "families" / (name + ".txt"));
    if (!file) throw std::runtime_error("no such family: " + name);
    for (std::string line; std::getline(file, line);) {
      std::istringstream words(line);
      if (line.rfind("layer", 0) == 0)
        layers.emplace_back();
      else
        for (std::string number; words >> number;) layers.back().push_back(std::stod(number));
    }
  }
};

// What a projection returned, as heads of a longspan call: (1, head, token, channel).
struct projected {
  std::vector<float> numbers;
  index_t width;

  projected(index_t seed, index_t columns) : numbers(family_numbers(seed, family_file::tokens * columns)), width(columns) {}

  // Heads of `channels` that begin at `first` and every `apart` columns.
  longspan::view<const float> heads(index_t count, index_t channels, index_t first = 0, index_t apart = 0) const {
    return {numbers.data() + first,
            {1, count, family_file::tokens, channels},
            {width * family_file::tokens, apart > 0 ? apart : channels, width, 1}};
  }
};

// Rotations differ in their ladders alone: one sentence serves the rotations of all families, and compiles once.
struct any_rotation {
  std::function<longspan::ladder(index_t)> of;

  template <class Rotation>
    requires(!std::same_as<Rotation, any_rotation>)
  any_rotation(const Rotation& one) : of([one](index_t channels) { return one.frequencies(channels); }) {}
  longspan::ladder frequencies(index_t channels) const { return of(channels); }
};

// Likewise one that answers with an interval.
struct any_mask {
  std::function<longspan::interval(const longspan::query_row&)> of;

  longspan::interval operator()(const longspan::query_row& row) const { return of(row); }
};

}  // namespace testing_support

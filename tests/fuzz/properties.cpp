// Calls that are drawn from a printed seed hold every rule.
#include <chrono>
#include <cstdlib>
#include <iostream>
#include <random>
#include <vector>

#include <gtest/gtest.h>

#include "subjects.hpp"

namespace {

long from_environment(const char* name, long otherwise) {
  const char* const set = std::getenv(name);
  return set == nullptr ? otherwise : std::atol(set);
}

// LONGSPAN_FUZZ_SECONDS says for how long, LONGSPAN_FUZZ_SEED of which seed: that of a failure repeats it at once.
TEST(properties, hold_for_what_is_drawn) {
  const long seconds = from_environment("LONGSPAN_FUZZ_SECONDS", 10);
  const long first = from_environment("LONGSPAN_FUZZ_SEED", long(std::random_device{}() % 1000000000));
  std::cout << "seeds from " << first << " for " << seconds << " s\n";
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(seconds);
  long seed = first, failures = 0;
  for (; failures < 5 && (seed == first || std::chrono::steady_clock::now() < end); ++seed) {
    std::mt19937 generator{unsigned(seed)};
    std::vector<std::uint8_t> bytes(300);
    for (std::uint8_t& byte : bytes) byte = std::uint8_t(generator());
    fuzz::drawn from(bytes);
    try {
      fuzz::hold_drawn_rules(from);
    } catch (const std::exception& error) {
      ADD_FAILURE() << "seed " << seed << ": " << error.what();
      ++failures;
    }
  }
  std::cout << seed - first << " seeds\n";
}

}  // namespace

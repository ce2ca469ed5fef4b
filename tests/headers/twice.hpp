#pragma once

#include <vector>

// What one translation unit computes with the library, built for its own instruction set.
struct answers {
  const char* name;
  std::vector<float> output, log_sum_exp;
  bool refuses;  // a wrong shape, with the words for it
};

answers baseline(const std::vector<float>& input);
answers v3(const std::vector<float>& input);

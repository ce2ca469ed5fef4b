#pragma once

#include <thread>
#include <vector>

#include "drawn.hpp"

namespace fuzz {

// So many threads of the standard library, or one that begins with the last number.
struct drawn_device {
  index_t count = 1;
  bool backwards = true;

  drawn_device() = default;
  explicit drawn_device(drawn& from) : count(from.between(1, 5)), backwards(from.once_in(2)) {}

  index_t threads() const { return count; }
  void run(index_t numbers, const auto& work) const {
    if (backwards) {
      while (numbers-- > 0) work(numbers);
      return;
    }
    std::vector<std::jthread> others;
    for (index_t n = 0; n < numbers; ++n) others.emplace_back([&work, n] { work(n); });
  }
};

}  // namespace fuzz

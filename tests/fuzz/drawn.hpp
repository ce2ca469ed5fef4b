#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <random>
#include <span>
#include <stdexcept>
#include <string>

#include <longspan/core/index.hpp>

// Calls of the library that are drawn from bytes: from those of a generator with a printed seed in the tests, from those of a fuzzer that
// looks for new branches. Whatever the bytes are, the rules of the library hold.
namespace fuzz {

using longspan::index_t;

// A rule that does not hold, and where.
struct broken_rule : std::logic_error {
  using std::logic_error::logic_error;
};

inline void hold(bool rule, const std::string& words) {
  if (!rule) throw broken_rule(words);
}

// Holds the rules of what was drawn, and says with a broken one what that was.
template <class... Of>
void hold_all(auto&& drawn, const Of&... of) {
  try {
    drawn.hold_all(of...);
  } catch (const std::exception& error) {
    throw broken_rule(drawn.words() + ": " + error.what());
  }
}

// Choices, a byte or two for each; where no bytes are left, the first.
class drawn {
 public:
  explicit drawn(std::span<const std::uint8_t> bytes) : left_(bytes) {}

  index_t between(index_t least, index_t most) {
    const index_t count = most - least + 1;
    index_t number = byte();
    if (count > 256) number = 256 * number + byte();
    return least + number % count;
  }
  bool once_in(index_t times) { return between(0, times - 1) == times - 1; }
  template <class T>
  T of(std::initializer_list<T> choices) {
    return choices.begin()[between(0, index_t(choices.size()) - 1)];
  }
  // Of many numbers, for which bytes would be wasted.
  std::mt19937 generator() { return std::mt19937(std::uint32_t(between(0, 65535))); }

 private:
  index_t byte() {
    if (left_.empty()) return 0;
    const index_t first = left_.front();
    left_ = left_.subspan(1);
    return first;
  }

  std::span<const std::uint8_t> left_;
};

}  // namespace fuzz

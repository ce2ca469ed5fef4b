// The same rules for libFuzzer, which looks for the bytes that reach new branches; not among the tests, as it needs clang:
//   clang++ -std=c++20 -O1 -g -fsanitize=fuzzer,address,undefined -ffp-contract=off -I include -isystem /usr/include/eigen3
//     $(ls tests/fuzz/*.cpp | grep -v properties) -lpthread -o fuzzer && ./fuzzer -max_len=300
// Inputs need no corpus: every byte is a choice.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <span>

#include "subjects.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t count) {
  fuzz::drawn from(std::span(bytes, count));
  try {
    fuzz::hold_drawn_rules(from);
  } catch (const std::exception& error) {
    std::cerr << error.what() << '\n';
    std::abort();
  }
  return 0;
}

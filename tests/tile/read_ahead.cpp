#include <longspan/tile/read_ahead.hpp>

#include <gtest/gtest.h>

namespace {

// It asks, and neither reads nor writes: addresses that nobody owns are as good as any.
TEST(read_ahead, touches_nothing) {
  longspan::read_ahead<float> nowhere({nullptr, 1 << 20}, {nullptr, -12345}, 40);
  for (int squares = 0; squares < 100; ++squares) nowhere.ask(256);
}

}  // namespace

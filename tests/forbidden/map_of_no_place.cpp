// expects: the map takes a place, a text and a place, or a const token&, and returns a number
#include <longspan/position/rope.hpp>

auto refused() {
  return longspan::rope{}.at([](const char*) { return 1.0; });
}

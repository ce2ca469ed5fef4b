// expects: unturned
#include <longspan/longspan.hpp>

// The method turns rows itself: they would turn twice.
auto refused() { return longspan::rerope(64, longspan::rope{} | longspan::dot_product{}); }

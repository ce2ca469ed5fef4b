// first error: bits of 16-bit numbers lie in words of 16 bits, such as std::uint16_t, or are told by a void pointer
#include <longspan/longspan.hpp>

auto refused(const int* words) { return longspan::bfloat16_bits(words); }

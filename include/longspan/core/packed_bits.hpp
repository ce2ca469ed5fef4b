#pragma once

#include <bit>
#include <cstdint>
#include <cstring>

#include <longspan/core/index.hpp>

LONGSPAN_NAMESPACE_BEGIN
namespace detail {

// Which of 8 bytes are not 0, as 8 bits. Adding 127 to the low 7 bits of a byte carries into its top bit where they are not 0; the product
// adds the eight top bits up in its top byte, each at a place of its own, so that nothing carries.
inline std::uint64_t packed_eight(const unsigned char* from) {
  constexpr std::uint64_t low = 0x7f7f'7f7f'7f7f'7f7f;
  std::uint64_t bytes;
  std::memcpy(&bytes, from, sizeof bytes);
  return (((((bytes & low) + low) | bytes) & ~low) * 0x0002'0408'1020'4081) >> 56;
}

// Which of at most 64 bytes, `stride` apart, are not 0: bit b tells of from[b * stride].
inline std::uint64_t packed_bits(const unsigned char* from, index_t stride, index_t count) {
  std::uint64_t bits = 0;
  if (stride == 1 && count == 64 && std::endian::native == std::endian::little) {
#pragma GCC unroll 8
    for (index_t b = 0; b < 64; b += 8) bits |= packed_eight(from + b) << b;
    return bits;
  }
  for (index_t b = 0; b < count; ++b) bits |= std::uint64_t(from[b * stride] != 0) << b;
  return bits;
}

}  // namespace detail
LONGSPAN_NAMESPACE_END

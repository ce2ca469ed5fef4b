#pragma once

#include <bit>
#include <cstdint>
#include <cstring>

#include <longspan/core/index.hpp>
#include <longspan/simd/batch.hpp>

LONGSPAN_NAMESPACE_BEGIN
namespace simd {

// Which of 8 bytes are not 0, as 8 bits, by integer arithmetic of a little-endian processor. Adding 127 to the low 7 bits of a byte
// carries into its top bit where they are not 0; the product adds up the top bits in its top byte, each at a place of its own, so that
// nothing carries.
inline std::uint64_t packed_eight(const unsigned char* from) {
  constexpr std::uint64_t low = 0x7f7f'7f7f'7f7f'7f7f;
  std::uint64_t bytes;
  std::memcpy(&bytes, from, sizeof bytes);
  return (((((bytes & low) + low) | bytes) & ~low) * 0x0002'0408'1020'4081) >> 56;
}

// Which of 64 bytes, one behind the other, are not 0. SSE2 reads them 4 times as fast as integer arithmetic; wider registers are not
// faster (Zen 5).
inline std::uint64_t packed_bits(const unsigned char* from) {
  std::uint64_t bits = 0;
#if XSIMD_WITH_SSE2 && !defined(LONGSPAN_SCALAR)
#pragma GCC unroll 4
  for (int b = 0; b < 64; b += 16) {
    const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(from + b));
    bits |= std::uint64_t(unsigned(_mm_movemask_epi8(_mm_cmpeq_epi8(bytes, _mm_setzero_si128())))) << b;
  }
  bits = ~bits;
#else
  for (int b = 0; b < 64; b += 8) bits |= packed_eight(from + b) << b;
#endif
  return bits;
}

// Which of at most 64 bytes, `stride` apart, are not 0: bit b tells of from[b * stride].
inline std::uint64_t packed_bits(const unsigned char* from, index_t stride, index_t count) {
  if (stride == 1 && count == 64 && std::endian::native == std::endian::little) return packed_bits(from);
  std::uint64_t bits = 0;
  for (index_t b = 0; b < count; ++b) bits |= std::uint64_t(from[b * stride] != 0) << b;
  return bits;
}

}  // namespace simd
LONGSPAN_NAMESPACE_END

#pragma once

#include <cstdint>

#include <longspan/core/index.hpp>
#include <longspan/simd/batch.hpp>
#include <longspan/simd/quiet.hpp>

LONGSPAN_QUIET_BEGIN

LONGSPAN_NAMESPACE_BEGIN
namespace detail {

// A word is four integers of 8 bits, of one operand without sign and of the other with it; sums are integers of 32 bits.
enum class unsigned_bytes { left, right };
template <unsigned_bytes Unsigned>
struct byte_words;

// Whether the instruction set multiplies them: AVX-512 with VNNI and BF16 does (core/config.hpp names no VNNI without BF16). vpdpbusd adds
// four products to each sum.
#if defined(__AVX512BW__) && defined(__AVX512BF16__) && defined(__AVX512VNNI__) && !defined(LONGSPAN_SCALAR)
inline constexpr bool multiplies_bytes = true;

template <unsigned_bytes Unsigned>
struct byte_words {
  using compute = std::int32_t;
  using Batch = batch<std::int32_t>;
  static constexpr index_t per_word = 4;

  static Batch multiply_add(const Batch& left, const Batch& right, const Batch& sum) {
    return Unsigned == unsigned_bytes::left ? _mm512_dpbusd_epi32(sum, left, right) : _mm512_dpbusd_epi32(sum, right, left);
  }
};
#else
inline constexpr bool multiplies_bytes = false;
#endif

}  // namespace detail
LONGSPAN_NAMESPACE_END

LONGSPAN_QUIET_END

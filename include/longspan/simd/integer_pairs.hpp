#pragma once

#include <cstdint>
#include <type_traits>

#include <longspan/core/index.hpp>
#include <longspan/simd/batch.hpp>
#include <longspan/simd/quiet.hpp>
#include <longspan/simd/widen.hpp>

LONGSPAN_QUIET_BEGIN

LONGSPAN_NAMESPACE_BEGIN
namespace detail {

// Words of two integers of 16 bits, in memory also of 8 (simd::byte_pair); sums are integers of 32 bits. Whether the instruction set
// multiplies them faster than floats: vpmaddwd adds two products, and vpdpwssd both to a sum. Sums are exact, so that both have the same
// bits.
#if (defined(__AVX512BW__) || (defined(__AVX2__) && !defined(__AVX512F__))) && !defined(LONGSPAN_SCALAR)
inline constexpr bool multiplies_integers = true;
#else
inline constexpr bool multiplies_integers = false;
#endif

struct integer_pairs {
  using compute = std::int32_t;
  using Batch = batch<std::int32_t>;
  static constexpr index_t per_word = 2;

#if defined(LONGSPAN_SCALAR)
#elif defined(__AVX512BW__) && defined(__AVX512VNNI__)
  static Batch multiply_add(const Batch& left, const Batch& right, const Batch& sum) {
    return _mm512_dpwssd_epi32(sum, left, right);
  }
#elif defined(__AVX512BW__)
  static Batch multiply_add(const Batch& left, const Batch& right, const Batch& sum) {
    return _mm512_add_epi32(sum, _mm512_madd_epi16(left, right));
  }
#elif defined(__AVX2__)
  static Batch multiply_add(const Batch& left, const Batch& right, const Batch& sum) {
    return _mm256_add_epi32(sum, _mm256_madd_epi16(left, right));
  }
#endif
};

}  // namespace detail
LONGSPAN_NAMESPACE_END

LONGSPAN_QUIET_END

#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

#include <longspan/core/index.hpp>
#include <longspan/simd/batch.hpp>
#include <longspan/simd/quiet.hpp>

LONGSPAN_QUIET_BEGIN

LONGSPAN_NAMESPACE_BEGIN
namespace detail {

// The 16-bit formats that tensors are stored in, and which of them a number of type S is (tensor/eigen.hpp says so for Eigen's).
enum class narrow { no, bfloat16, half };
template <class S>
inline constexpr narrow narrow_format = narrow::no;

}  // namespace detail

namespace simd {

// Loads a batch of 16-bit numbers as floats, exactly, where `widens` says that the instruction set can.
template <detail::narrow Format>
inline constexpr bool widens = false;
template <detail::narrow Format>
batch<float> widen(const void* from);

#if !defined(LONGSPAN_SCALAR) && !defined(XSIMD_NO_SUPPORTED_ARCHITECTURE)
template <>
inline constexpr bool widens<detail::narrow::bfloat16> = true;
template <>
inline batch<float> widen<detail::narrow::bfloat16>(const void* from) {
  typedef std::uint16_t narrow_lanes __attribute__((vector_size(sizeof(batch<float>) / 2)));
  typedef std::uint32_t wide_lanes __attribute__((vector_size(sizeof(batch<float>))));
  narrow_lanes bits;
  std::memcpy(&bits, from, sizeof bits);
  return decltype(batch<float>::data)(__builtin_convertvector(bits, wide_lanes) << 16);
}
#endif

// The conditions are those that name the instruction set (core/config.hpp).
#if (defined(__AVX512F__) || (defined(__AVX2__) && defined(__FMA__) && defined(__F16C__))) && !defined(LONGSPAN_SCALAR)
template <>
inline constexpr bool widens<detail::narrow::half> = true;
template <>
inline batch<float> widen<detail::narrow::half>(const void* from) {
#if defined(__AVX512F__)
  return _mm512_cvtph_ps(_mm256_loadu_si256(static_cast<const __m256i*>(from)));
#else
  return _mm256_cvtph_ps(_mm_loadu_si128(static_cast<const __m128i*>(from)));
#endif
}
#endif

}  // namespace simd
LONGSPAN_NAMESPACE_END

LONGSPAN_QUIET_END

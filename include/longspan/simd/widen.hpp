#pragma once

#include <array>
#include <concepts>
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
  // g++ 12 makes five instructions of __builtin_convertvector.
#if defined(__AVX512F__)
  return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(_mm256_loadu_si256(static_cast<const __m256i*>(from))), 16));
#elif defined(__AVX2__)
  return _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_cvtepu16_epi32(_mm_loadu_si128(static_cast<const __m128i*>(from))), 16));
#else
  typedef std::uint16_t narrow_lanes __attribute__((vector_size(sizeof(batch<float>) / 2)));
  typedef std::uint32_t wide_lanes __attribute__((vector_size(sizeof(batch<float>))));
  narrow_lanes bits;
  std::memcpy(&bits, from, sizeof bits);
  return decltype(batch<float>::data)(__builtin_convertvector(bits, wide_lanes) << 16);
#endif
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

// The same of integers of 8 bits.
batch<float> widen_integers(const std::int8_t* from);
#if !defined(LONGSPAN_SCALAR) && !defined(XSIMD_NO_SUPPORTED_ARCHITECTURE)
inline batch<float> widen_integers(const std::int8_t* from) {
#if defined(__AVX512F__)
  return _mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(from))));
#elif defined(__AVX2__)
  return _mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(from))));
#else
  typedef std::int8_t narrow_lanes __attribute__((vector_size(sizeof(batch<float>) / 4)));
  typedef std::int32_t wide_lanes __attribute__((vector_size(sizeof(batch<float>))));
  narrow_lanes numbers;
  std::memcpy(&numbers, from, sizeof numbers);
  return __builtin_convertvector(__builtin_convertvector(numbers, wide_lanes), decltype(batch<float>::data));
#endif
}
#endif

// Two integers of 8 bits, which become a word of two of 16 bits (simd/integer_pairs.hpp).
struct byte_pair {
  std::int8_t first, second;
};
batch<std::int32_t> widen_pairs(const byte_pair* from);
#if defined(__AVX512BW__) && !defined(LONGSPAN_SCALAR)
inline batch<std::int32_t> widen_pairs(const byte_pair* from) {
  return _mm512_cvtepi8_epi16(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(from)));
}
#elif defined(__AVX2__) && !defined(__AVX512F__) && !defined(LONGSPAN_SCALAR)
inline batch<std::int32_t> widen_pairs(const byte_pair* from) {
  return _mm256_cvtepi8_epi16(_mm_loadu_si128(reinterpret_cast<const __m128i*>(from)));
}
#endif

// Loads a batch of numbers that are stored in fewer bits than it computes in, exactly: 16-bit numbers, integers of 8 bits, or numbers of
// its own type. One by one where the instruction set cannot (half without F16C).
template <class Batch, class S>
Batch load_wide(const S* from) {
  using T = scalar<Batch>;
  if constexpr (std::same_as<S, byte_pair>) {
    return simd::widen_pairs(from);
  } else if constexpr (std::same_as<S, T>) {
    return simd::load<Batch>(from);
  } else if constexpr (is_scalar<Batch>) {
    return static_cast<T>(*from);
  } else if constexpr (std::same_as<S, std::int8_t> && std::same_as<T, float>) {
    return simd::widen_integers(from);
  } else if constexpr (std::same_as<T, float> && widens<detail::narrow_format<S>>) {
    return simd::widen<detail::narrow_format<S>>(from);
  } else {
    std::array<T, std::size_t(lanes<Batch>)> numbers;
    for (std::size_t i = 0; i < numbers.size(); ++i) numbers[i] = static_cast<T>(from[i]);
    return simd::load<Batch>(numbers.data());
  }
}

// A number of a row that stands in pairs: number i of two batches side by side with number i of the second of them. A word holds both, of
// which the upper is a float but for its lower half, and the lower becomes one by a shift: half the loads and instructions of a row in
// order.
template <class S>
struct paired {
  S number;

  // Where number i of a row stands.
  static constexpr index_t place(index_t i) {
    constexpr index_t width = lanes<batch<float>>;
    return i / (2 * width) * (2 * width) + i % width * 2 + i / width % 2;
  }
};
template <class S>
inline constexpr bool is_paired = false;
template <class S>
inline constexpr bool is_paired<paired<S>> = true;

// Some batches of a row. In pairs the first begins one.
template <std::size_t Batches, class Batch, class S>
[[gnu::always_inline]] inline void load_wide(const S* from, Batch (&to)[Batches]) {
  constexpr index_t width = lanes<Batch>;
  if constexpr (is_paired<S>) {
    typedef std::uint32_t words __attribute__((vector_size(sizeof(Batch))));
#pragma GCC unroll 8
    for (std::size_t b = 0; b < Batches; b += 2) {
      words both;
      std::memcpy(&both, from + index_t(b) * width, sizeof both);
      to[b] = Batch(decltype(Batch::data)(both << 16));
      if (b + 1 < Batches) to[b + 1] = Batch(decltype(Batch::data)(both & 0xffff'0000u));
    }
  } else {
#pragma GCC unroll 8
    for (std::size_t b = 0; b < Batches; ++b) to[b] = simd::load_wide<Batch>(from + index_t(b) * width);
  }
}

}  // namespace simd
LONGSPAN_NAMESPACE_END

LONGSPAN_QUIET_END

#pragma once

#include <array>
#include <cstddef>
#include <type_traits>

#include <longspan/simd/batch.hpp>
#include <longspan/simd/multiply_add.hpp>
#include <longspan/simd/quiet.hpp>

LONGSPAN_QUIET_BEGIN

LONGSPAN_NAMESPACE_BEGIN
namespace detail {

// What the products multiply: words as large as a T, the type of all sums, each of `per_word` numbers that follow each other along the
// depth of the product. Channels are the depth of scores, keys the depth of outputs, so there are two ways to make words:
//   join      per_word batches of neighbouring numbers of a row become a batch of its words
//   together  a batch of a row and one of the next become a batch of words, each of one number of both
// and `only` keeps one number of each word and zeroes the other.

// A word is a float or a double.
template <class T>
struct number_words {
  using compute = T;
  using Batch = batch<T>;
  static constexpr index_t per_word = 1;

  static Batch multiply_add(const Batch& left, const Batch& right, const Batch& sum) {
    return simd::multiply_add(left, right, sum);
  }
  static Batch join(const std::array<Batch, 1>& numbers) { return numbers[0]; }
};

#if defined(__AVX512BW__) && defined(__AVX512BF16__) && !defined(LONGSPAN_SCALAR)
// A word is a pair of bfloat16: vdpbf16ps adds two products to each sum, which doubles the multiply-adds per instruction.
struct bfloat16_words {
  using compute = float;
  using Batch = batch<float>;
  static constexpr index_t per_word = 2;

  static Batch multiply_add(const Batch& left, const Batch& right, const Batch& sum) {
    return _mm512_dpbf16_ps(sum, (__m512bh)__m512(left), (__m512bh)__m512(right));
  }
  // Rounds to nearest, ties to even.
  static Batch join(const std::array<Batch, 2>& numbers) { return Batch((__m512)_mm512_cvtne2ps_pbh(numbers[1], numbers[0])); }
  // What `join` makes of numbers, as numbers.
  static Batch rounded(const Batch& numbers) {
    return bits(_mm512_slli_epi32(_mm512_cvtepu16_epi32((__m256i)_mm512_cvtneps_pbh(numbers)), 16));
  }
  // Takes the upper halves of floats that are exact in bfloat16.
  static Batch together(const Batch& even, const Batch& odd) {
    return bits(_mm512_or_si512(_mm512_srli_epi32(bits(even), 16), bits(only(odd, 1))));
  }
  static Batch only(const Batch& words, index_t number) {
    return bits(_mm512_and_si512(bits(words), _mm512_set1_epi32(number == 0 ? 0xffff : int(0xffff0000))));
  }

 private:
  static __m512i bits(const Batch& words) { return _mm512_castps_si512(words); }
  static Batch bits(__m512i words) { return _mm512_castsi512_ps(words); }
};
#endif

// The words for tensors of storage type S: numbers of the type that computes, unless the instruction set multiplies S itself
// (tensor/eigen.hpp says so for Eigen::bfloat16).
template <class S>
struct storage_words {
  using type = number_words<std::conditional_t<std::is_same_v<S, double>, double, float>>;
};

// The words for a product whose operands come from tensors of several storage types: S's own only where all are S.
template <class First, class... More>
using common_words =
    std::conditional_t<(std::is_same_v<First, More> && ...), typename storage_words<First>::type,
                       typename storage_words<std::conditional_t<std::is_same_v<First, double>, double, float>>::type>;

}  // namespace detail
LONGSPAN_NAMESPACE_END

LONGSPAN_QUIET_END

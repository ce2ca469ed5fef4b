#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <span>
#include <type_traits>

#include <longspan/core/index.hpp>
#include <longspan/simd/integer_pairs.hpp>
#include <longspan/simd/widen.hpp>
#include <longspan/tensor/traits.hpp>

LONGSPAN_NAMESPACE_BEGIN

// Storage of a cache in integers of `Bits` bits with one scale, a float, for each token and head, of keys and of values apart: a number x
// of a row whose largest is m is round(127 x / m), to nearest and ties to even, times m / 127. Rows are turned before by a Hadamard
// transform, queries and outputs with them (cache/hadamard.hpp): ten-fold outliers in 4 of 128 channels of keys and values, which double
// the logits, leave an error of 1.2 % of the output's RMS, rows of normal numbers less than 1 %. Of the 1.2 % the keys make 1.1, as the
// largest number of a turned row is 2.5 times its RMS (2.8 after a random turn); 1 % would take 1.8. A NaN or an infinity makes the whole
// row NaN, and so may a number near the largest float, which the transform adds to others.
template <int Bits>
struct quantized {
  static_assert(Bits == 8, "keys and values are quantized to 8 bits");
};

namespace detail {

// How a cache stores rows: the type of its numbers, in which precision they are computed with, how many follow each other along the depth
// of a product (simd/words.hpp), where number i of a row stands, and what a row is written as: rounded once, with one scale, and turned
// before, if it is `scaled` and `turned`.
template <class Storage>
struct cache_storage {
  static_assert(is_number<Storage>, "a cache stores float, double, Eigen::half, Eigen::bfloat16 or quantized<8>");
  using compute = compute_t<Storage>;
  static constexpr bool scaled = false, turned = false;
  static constexpr index_t per_word = 1;
  static constexpr bool in_pairs = narrow_format<Storage> == narrow::bfloat16 && simd::widens<narrow::bfloat16>;
  using number = std::conditional_t<in_pairs, simd::paired<Storage>, Storage>;
  static constexpr index_t batches_together = in_pairs ? 2 : 1;

  static constexpr index_t place(index_t i) {
    if constexpr (in_pairs)
      return number::place(i);
    else
      return i;
  }
  static void write(std::span<const compute> row, number* to, compute*) {
    for (const compute x : row) *to++ = number{static_cast<Storage>(x)};
  }
};

template <>
struct cache_storage<quantized<8>> {
  using number = std::int8_t;
  using compute = float;
  static constexpr bool scaled = true, turned = true;
  static constexpr index_t batches_together = 1, per_word = multiplies_integers ? 2 : 1;
  static constexpr float most = 127;

  static constexpr index_t place(index_t i) { return i; }
  static void write(std::span<const float> row, number* to, float* scale) {
    float largest = 0;
    bool finite = true;
    for (const float x : row) largest = std::max(largest, std::abs(x)), finite = finite && std::isfinite(x);
    *scale = finite ? largest / most : std::numeric_limits<float>::quiet_NaN();
    const float factor = most / largest;  // infinite for rows below 4e-37, which are zeros to 8 bits
    const bool stored = finite && std::isfinite(factor);
    for (const float x : row) *to++ = stored ? static_cast<number>(std::nearbyint(x * factor)) : number(0);
  }
};

}  // namespace detail
LONGSPAN_NAMESPACE_END

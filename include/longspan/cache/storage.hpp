#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <span>

#include <longspan/core/index.hpp>
#include <longspan/tensor/traits.hpp>

LONGSPAN_NAMESPACE_BEGIN

// Storage of a cache in integers of `Bits` bits with one scale, a float, for each token and head, of keys and of values apart: a number x
// of a row whose largest is m is round(127 x / m), to nearest and ties to even, times m / 127. A NaN or an infinity makes the whole row
// NaN.
template <int Bits>
struct quantized {
  static_assert(Bits == 8, "keys and values are quantized to 8 bits");
};

namespace detail {

// How a cache stores rows: the type of its numbers, in which precision they are computed with, and how a row is written. Rounds once.
template <class Storage>
struct cache_storage {
  static_assert(is_number<Storage>, "a cache stores float, double, Eigen::half, Eigen::bfloat16 or quantized<8>");
  using number = Storage;
  using compute = compute_t<Storage>;
  static constexpr bool scaled = false;

  static void write(std::span<const compute> row, number* to, index_t stride, compute*) {
    for (const compute& x : row) *to = static_cast<number>(x), to += stride;
  }
};

template <>
struct cache_storage<quantized<8>> {
  using number = std::int8_t;
  using compute = float;
  static constexpr bool scaled = true;
  static constexpr float most = 127;

  static void write(std::span<const float> row, number* to, index_t stride, float* scale) {
    float largest = 0;
    bool finite = true;
    for (const float x : row) largest = std::max(largest, std::abs(x)), finite = finite && std::isfinite(x);
    *scale = finite ? largest / most : std::numeric_limits<float>::quiet_NaN();
    const float factor = most / largest;  // infinite for rows below 4e-37, which are zeros to 8 bits
    const bool stored = finite && std::isfinite(factor);
    for (const float x : row) *to = stored ? static_cast<number>(std::nearbyint(x * factor)) : number(0), to += stride;
  }
};

}  // namespace detail
LONGSPAN_NAMESPACE_END

#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>

#include <longspan/core/index.hpp>
#include <longspan/core/key_set.hpp>
#include <longspan/tile/buffer.hpp>
#include <longspan/tile/shape.hpp>

LONGSPAN_NAMESPACE_BEGIN
namespace detail {

// What products of bytes are given for rows of floats, which 8 bits would round too much: two rows of bytes for each, with one scale.

// A row of queries as integers of 15 bits, x = scale (128 upper + lower), both of 8 bits with a sign, and the sums of both. A row with a
// NaN or an infinity has a scale of NaN.
struct bytes_of_query {
  float scale = 0;
  std::int32_t upper = 0, lower = 0;

  bytes_of_query(std::span<const float> row, std::int8_t* upper_bytes, std::int8_t* lower_bytes) {
    constexpr float most = 127 * 128 + 63;
    float largest = 0, sum = 0;
    for (const float x : row) largest = std::max(largest, std::abs(x)), sum += x - x;  // NaN where there is one
    const float factor = most / largest;
    scale = sum == 0 ? largest / most : std::numeric_limits<float>::quiet_NaN();
    const bool stored = sum == 0 && factor <= std::numeric_limits<float>::max();
    for (std::size_t c = 0; c < row.size(); ++c) {
      const auto whole = stored ? std::int32_t(std::nearbyint(row[c] * factor)) : 0, high = (whole + 64) >> 7;
      upper_bytes[c] = std::int8_t(high), lower_bytes[c] = std::int8_t(whole - 128 * high);
      upper += high, lower += whole - 128 * high;
    }
  }
};

// Weights of some keys as integers of 16 bits, x = scale (256 upper + lower), both of 8 bits without a sign. Where one is no number, so is
// the scale.
inline float bytes_of_weights(std::span<const float> weights, std::uint8_t* upper, std::uint8_t* lower) {
  constexpr float most = 65535;
  float largest = 0, sum = 0;
  for (const float x : weights) largest = std::max(largest, x), sum += x - x;
  const float factor = most / largest;
  const bool stored = sum == 0 && factor <= std::numeric_limits<float>::max();
  for (std::size_t j = 0; j < weights.size(); ++j) {
    const auto whole = stored ? std::uint32_t(std::nearbyint(weights[j] * factor)) : 0;
    upper[j] = std::uint8_t(whole >> 8), lower[j] = std::uint8_t(whole & 255);
  }
  return sum == 0 ? (stored ? largest / most : 0) : std::numeric_limits<float>::quiet_NaN();
}

// What the operands of a thread work in, for at most so many rows.
struct byte_room {
  buffer<std::int32_t> query_words, weight_words, sums;
  buffer<bytes_of_query> queries;

  byte_room(index_t rows, index_t channels, index_t width)
      : query_words(std::size_t(2 * rows * round_up(channels, 4) / 4)),
        weight_words(std::size_t(2 * rows * panel_keys / 4)),
        sums(std::size_t(2 * rows * std::max(width, panel_keys))) {
    queries.reserve(std::size_t(rows));
  }
};

}  // namespace detail
LONGSPAN_NAMESPACE_END

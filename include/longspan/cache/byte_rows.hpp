#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>

#include <longspan/core/index.hpp>
#include <longspan/core/key_set.hpp>
#include <longspan/simd/batch.hpp>
#include <longspan/tile/buffer.hpp>
#include <longspan/tile/shape.hpp>

LONGSPAN_NAMESPACE_BEGIN
namespace detail {

// What products of bytes are given for rows of floats, which 8 bits would round too much: two rows of bytes for each, with one scale.
class byte_rows {
  using floats = batch<float>;
  static constexpr index_t lanes = simd::lanes<floats>;
  typedef std::int32_t integers __attribute__((vector_size(sizeof(floats))));
  typedef std::int8_t bytes __attribute__((vector_size(sizeof(floats) / 4)));

 public:
  // A row of queries of whole batches as integers of 15 bits, x = scale (128 upper + lower), both of 8 bits with a sign, and the sums of
  // both. A row with a NaN or an infinity has a scale of NaN.
  struct of_query {
    float scale = 0;
    std::int32_t upper = 0, lower = 0;
  };
  static of_query write_query(const float* row, index_t numbers, std::int8_t* upper, std::int8_t* lower) {
    const auto [scale, factor] = scale_of(row, numbers, 127 * 128 + 63);
    integers sum_of_upper{}, sum_of_lower{};
    for (index_t c = 0; c < numbers; c += lanes) {
      const integers whole = rounded(row + c, factor), high = (whole + 64) >> 7, low = whole - 128 * high;
      store(high, upper + c), store(low, lower + c);
      sum_of_upper += high, sum_of_lower += low;
    }
    return {scale, sum(sum_of_upper), sum(sum_of_lower)};
  }

  // Weights of whole batches of keys as integers of 16 bits, x = scale (256 upper + lower), both of 8 bits without a sign. Returns the
  // scale: NaN where one is no number.
  static float write_weights(const float* weights, index_t numbers, std::uint8_t* upper, std::uint8_t* lower) {
    const auto [scale, factor] = scale_of(weights, numbers, 65535);
    for (index_t j = 0; j < numbers; j += lanes) {
      const integers whole = rounded(weights + j, factor);
      store(whole >> 8, upper + j), store(whole & 255, lower + j);
    }
    return scale;
  }

  // factor (upper - less_upper) + (lower - less_lower) of a batch of sums of each.
  static floats joined(const std::int32_t* upper, std::int32_t less_upper, const std::int32_t* lower, std::int32_t less_lower,
                       std::int32_t factor) {
    return floats(float(factor)) * to_floats(load(upper) - less_upper) + to_floats(load(lower) - less_lower);
  }

 private:
  struct scale_and_factor {
    float scale, factor;
  };
  // The largest magnitude becomes `most`. Magnitudes are compared as integers, where what is no number is larger than any.
  static scale_and_factor scale_of(const float* row, index_t numbers, float most) {
    constexpr std::int32_t infinity = 0x7f80'0000;
    integers largest{};
    for (index_t c = 0; c < numbers; c += lanes) {
      const integers magnitude = load(row + c) & 0x7fff'ffff, larger = magnitude > largest;
      largest = (magnitude & larger) | (largest & ~larger);
    }
    std::int32_t bits = 0;
    for (index_t l = 0; l < lanes; ++l) bits = std::max(bits, largest[l]);
    if (bits >= infinity) return {std::numeric_limits<float>::quiet_NaN(), 0};
    float magnitude;
    std::memcpy(&magnitude, &bits, sizeof magnitude);
    const float factor = most / magnitude;  // infinite next to nothing
    return factor <= std::numeric_limits<float>::max() ? scale_and_factor{magnitude / most, factor} : scale_and_factor{0, 0};
  }

  // To nearest, ties to even: the sum with 1.5 * 2^23 has the integer in its lower bits. With a factor of 0 all are 0, NaN too.
  static integers rounded(const float* from, float factor) {
    if (factor == 0) return integers{};
    const floats shifted = simd::load<floats>(from) * floats(factor) + floats(12582912.f);
    return load(&shifted) - 0x4b40'0000;
  }
  template <class From>
  static integers load(const From* from) {
    integers bits;
    std::memcpy(&bits, from, sizeof bits);
    return bits;
  }
  static void store(const integers& numbers, void* to) {
    const bytes narrow = __builtin_convertvector(numbers, bytes);
    std::memcpy(to, &narrow, sizeof narrow);
  }
  static floats to_floats(const integers& numbers) {
    typedef float wide __attribute__((vector_size(sizeof(floats))));
    const wide converted = __builtin_convertvector(numbers, wide);
    floats made;
    std::memcpy(&made, &converted, sizeof made);
    return made;
  }
  static std::int32_t sum(const integers& numbers) {
    std::int32_t all = 0;
    for (index_t l = 0; l < lanes; ++l) all += numbers[l];
    return all;
  }
};

// What the operands of a thread work in, for at most so many rows. A row of bytes of queries takes whole batches.
struct byte_room {
  buffer<std::int32_t> query_words, weight_words, sums;
  buffer<byte_rows::of_query> queries;

  byte_room(index_t rows, index_t channels, index_t width)
      : query_words(std::size_t(2 * rows * words_of_query(channels))),
        weight_words(std::size_t(2 * rows * panel_keys / 4)),
        sums(std::size_t(2 * rows * std::max(width, panel_keys))) {
    queries.reserve(std::size_t(rows));
  }
  static constexpr index_t words_of_query(index_t channels) {
    return round_up(channels, std::max<index_t>(simd::lanes<batch<float>>, 4)) / 4;
  }
};

}  // namespace detail
LONGSPAN_NAMESPACE_END

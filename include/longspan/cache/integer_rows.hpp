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

// What products of integers are given for rows of floats: integers of up to 16 bits, with one scale, beside which what keys and values of 8
// bits are rounded by is a hundred times as much.
class integer_rows {
  using floats = batch<float>;
  static constexpr index_t lanes = simd::lanes<floats>;
  typedef std::int32_t integers __attribute__((vector_size(sizeof(floats))));
  typedef std::int16_t shorts __attribute__((vector_size(sizeof(floats) / 2)));

 public:
  // Writes a row of whole batches as integers whose largest is `most`, and returns their scale: NaN where one is no number.
  static float write(const float* row, index_t numbers, std::int32_t most, std::int16_t* to) {
    const auto [scale, factor] = scale_of(row, numbers, float(most));
    for (index_t c = 0; c < numbers; c += lanes) {
      const shorts narrow = __builtin_convertvector(rounded(row + c, factor), shorts);
      std::memcpy(to + c, &narrow, sizeof narrow);
    }
    return scale;
  }

  // The largest integer of a row for products of so many numbers with others of up to 127: 16 bits with a sign, and sums of 32.
  static constexpr std::int32_t most_of(index_t depth) {
    return std::int32_t(std::min<index_t>(std::numeric_limits<std::int16_t>::max(),
                                          std::numeric_limits<std::int32_t>::max() / (127 * std::max<index_t>(depth, 1))));
  }

  // A batch of sums.
  static floats to_floats(const std::int32_t* sums) {
    typedef float wide __attribute__((vector_size(sizeof(floats))));
    const wide converted = __builtin_convertvector(load(sums), wide);
    floats made;
    std::memcpy(&made, &converted, sizeof made);
    return made;
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
};

// What the operands of a thread work in, for at most so many rows. A row of integers of a query takes whole batches.
struct integer_room {
  buffer<std::int32_t> query_words, weight_words, sums;
  buffer<float> query_scales;

  integer_room(index_t rows, index_t channels, index_t width)
      : query_words(std::size_t(rows * words_of_query(channels))),
        weight_words(std::size_t(rows * panel_keys / 2)),
        sums(std::size_t(rows * std::max(width, panel_keys))) {
    query_scales.reserve(std::size_t(rows));
  }
  static constexpr index_t words_of_query(index_t channels) {
    return round_up(channels, std::max<index_t>(simd::lanes<batch<float>>, 2)) / 2;
  }
};

}  // namespace detail
LONGSPAN_NAMESPACE_END

#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>

#include <longspan/core/index.hpp>
#include <longspan/simd/batch.hpp>
#include <longspan/simd/quiet.hpp>

LONGSPAN_QUIET_BEGIN

LONGSPAN_NAMESPACE_BEGIN
namespace detail {

// Vectors of 32-bit words that fill a batch.
template <class Batch>
struct words_as_large_as {
  typedef std::uint32_t unsigned_words __attribute__((vector_size(sizeof(Batch))));
  typedef std::int32_t signed_words __attribute__((vector_size(sizeof(Batch))));
};

}  // namespace detail

namespace simd {

// Random numbers without a state: the bits of number i of a sequence follow from the sequence's key and i alone, so that nothing is stored
// and whoever needs them again makes them again.

// Makes a key of a number, or of a key and a number by key ^ number: the finaliser of SplitMix64 (doi 10.1145/2660193.2660195).
constexpr std::uint64_t scramble(std::uint64_t x) {
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
  return x ^ (x >> 31);
}

// 32 random bits of a number, or of each in a vector: the multiplications of C. Wellons' lowbias32, with half of the key before each. A
// last shift, which would change the low 16 bits alone, is left out: the high bits decide a comparison. Only operations on 32 bits, which
// every instruction set has in all lanes.
template <class Words>
Words random_bits(std::uint64_t key, const Words& number) {
  Words x = number ^ std::uint32_t(key);
  x = (x ^ (x >> 16)) * 0x7feb352du;
  return (x ^ (x >> 15) ^ std::uint32_t(key >> 32)) * 0x846ca68bu;
}

// 0 in the lanes whose 32 random bits, as a signed number, lie below a bound, the value in the rest. Lane l has the bits of number
// first + l, whatever the batch.
template <class Batch>
Batch drop_below(std::int32_t bound, std::uint64_t key, std::uint32_t first, const Batch& value) {
  if constexpr (is_scalar<Batch>) {
    return std::int32_t(random_bits(key, first)) < bound ? Batch(0) : value;
  } else {
    // A lane of a double makes its bits twice: the comparison then spans it.
    using word_vector = typename detail::words_as_large_as<Batch>::unsigned_words;
    using signed_vector = typename detail::words_as_large_as<Batch>::signed_words;
    constexpr std::size_t per_lane = sizeof(scalar<Batch>) / sizeof(std::uint32_t);
    constexpr auto own = []<std::size_t... Word>(std::index_sequence<Word...>) {
      return word_vector{std::uint32_t(Word / per_lane)...};
    };
    const word_vector numbers = own(std::make_index_sequence<sizeof(Batch) / sizeof(std::uint32_t)>{}) + first;
    const word_vector kept = (word_vector)((signed_vector)random_bits(key, numbers) >= bound);
    return Batch((decltype(value.data))((word_vector)value.data & kept));
  }
}

}  // namespace simd
LONGSPAN_NAMESPACE_END

LONGSPAN_QUIET_END

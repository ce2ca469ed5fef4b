#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include <longspan/core/index.hpp>

LONGSPAN_NAMESPACE_BEGIN
namespace detail {

// Row and key exchanged: bit r of word j says whether row r sees key j. For at most 64 rows. Swaps squares of bits, half as wide each time
// (Hacker's Delight, 7-3).
constexpr std::array<std::uint64_t, 64> transposed(std::span<const std::uint64_t> seen) {
  std::array<std::uint64_t, 64> bits{};
  for (std::size_t r = 0; r < seen.size(); ++r) bits[r] = seen[r];
  std::uint64_t low = 0xffff'ffff;
  for (std::size_t half = 32; half > 0; half /= 2, low ^= low << half)
    for (std::size_t r = 0; r < 64; r = (r + half + 1) & ~half) {
      const std::uint64_t swapped = (bits[r] >> half ^ bits[r + half]) & low;
      bits[r] ^= swapped << half;
      bits[r + half] ^= swapped;
    }
  return bits;
}

}  // namespace detail
LONGSPAN_NAMESPACE_END

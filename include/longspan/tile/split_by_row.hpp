#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <span>

#include <longspan/core/index.hpp>
#include <longspan/core/interval.hpp>
#include <longspan/core/key_set.hpp>

LONGSPAN_NAMESPACE_BEGIN
namespace detail {

// Which rows of a block see which keys of a panel together, and which alone. Every row has a word: bit j says whether it sees key j of the
// panel. A hidden key is never multiplied with a row, not even by zero: 0 times NaN is NaN.

// The bits of those words of `PerWord` keys that are seen whole.
template <index_t PerWord>
constexpr std::uint64_t whole_words(std::uint64_t seen) {
  static_assert(PerWord == 1 || PerWord == 2);
  if constexpr (PerWord == 1) return seen;
  const std::uint64_t pairs = seen & (seen >> 1) & 0x5555'5555'5555'5555;
  return pairs | pairs << 1;
}

// Calls together(keys) for the keys that all rows see, and alone(r, keys) for what row r sees of the others: runs of whole words, or one key
// that shares its word with a hidden one. For each row in ascending order, so that its sums are the same whatever its neighbours see.
template <index_t PerWord = 1, class Together, class Alone>
constexpr void split_by_row(std::span<const std::uint64_t> seen, Together together, Alone alone) {
  std::uint64_t common = ~std::uint64_t(0);
  for (const std::uint64_t row : seen) common &= row;
  common = whole_words<PerWord>(common);
  const auto one_by_one = [&](interval some) {
    for (index_t r = 0; r < index_t(seen.size()) && !some.empty(); ++r) {
      const std::uint64_t own = seen[std::size_t(r)] & some.bits(0), whole = whole_words<PerWord>(own);
      for_each_run_of_bits(own, [&](interval run) {
        for (index_t key = run.first; key < run.last;) {
          const index_t words = std::min<index_t>(std::countr_one(whole >> key), run.last - key), count = words > 0 ? words : 1;
          alone(r, interval{key, key + count});
          key += count;
        }
      });
    }
  };
  index_t reached = 0;
  for_each_run_of_bits(common, [&](interval run) {
    one_by_one({reached, run.first});
    together(run);
    reached = run.last;
  });
  one_by_one({reached, panel_keys});
}

// Calls visit(keys) for every stretch of adjacent panels that hold a seen key, from its first seen key to its last. `first` is the number
// of the first panel.
template <class Visit>
constexpr void for_each_stretch(std::span<const std::uint64_t> panels, index_t first, Visit visit) {
  for (std::size_t p = 0; p < panels.size(); ++p) {
    if (panels[p] == 0) continue;
    const index_t begin = (first + index_t(p)) * panel_keys + std::countr_zero(panels[p]);
    while (p + 1 < panels.size() && panels[p + 1] != 0) ++p;
    visit(interval{begin, (first + index_t(p) + 1) * panel_keys - std::countl_zero(panels[p])});
  }
}

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

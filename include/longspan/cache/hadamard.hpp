#pragma once

#include <bit>
#include <cmath>
#include <cstddef>
#include <span>

#include <longspan/core/index.hpp>
#include <longspan/simd/alternating.hpp>
#include <longspan/simd/batch.hpp>
#include <longspan/simd/row.hpp>

LONGSPAN_NAMESPACE_BEGIN
namespace detail {

// The sums and differences of a Walsh-Hadamard transform of 2 batches, or of any power of two times as many. In two batches each number at
// an even place meets the next one: the sums become the first half, the differences the second. After log2 of their number of such rounds
// each is back in its place, and has met every other. Then batches meet that lie further apart.
template <class Batch, class T>
void sums_and_differences(T* row, index_t size) {
  constexpr index_t lanes = simd::lanes<Batch>;
  for (index_t c = 0; c < size; c += 2 * lanes) {
    Batch x = simd::load<Batch>(row + c), y = simd::load<Batch>(row + c + lanes);
    for (index_t round = 2 * lanes; round > 1; round /= 2) {
      const auto [even, odd] = simd::apart(x, y);
      x = even + odd, y = even - odd;
    }
    simd::store(row + c, x), simd::store(row + c + lanes, y);
  }
  for (index_t half = 2 * lanes; half < size; half *= 2)
    for (index_t first = 0; first < size; first += 2 * half)
      for (index_t c = first; c < first + half; c += lanes) {
        const Batch x = simd::load<Batch>(row + c), y = simd::load<Batch>(row + c + half);
        simd::store(row + c, x + y), simd::store(row + c + half, x - y);
      }
}

// The orthonormal Walsh-Hadamard transform of a row in place, in blocks of powers of two, the largest first: its own inverse, and dot
// products are what they were. What stands out in a few channels is spread over all of them, so that 8 bits with one scale are as fine for
// such a row as for any other.
template <class T>
void hadamard(std::span<T> row) {
  while (!row.empty()) {
    const std::size_t block = std::bit_floor(row.size());
    simd::scale(row.first(block), 1 / std::sqrt(T(block)));  // first: sums of large numbers stay finite
    if (index_t(block) >= 2 * simd::lanes<batch<T>>)
      detail::sums_and_differences<batch<T>>(row.data(), index_t(block));
    else if (block > 1)
      detail::sums_and_differences<T>(row.data(), index_t(block));
    row = row.subspan(block);
  }
}

}  // namespace detail
LONGSPAN_NAMESPACE_END

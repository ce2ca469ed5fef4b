#pragma once

#include <bit>
#include <cmath>
#include <cstddef>
#include <span>

#include <longspan/core/index.hpp>

LONGSPAN_NAMESPACE_BEGIN
namespace detail {

// The orthonormal Walsh-Hadamard transform of a row in place, in blocks of powers of two, the largest first: its own inverse, and dot
// products are what they were. What stands out in a few channels is spread over all of them, so that 8 bits with one scale are as fine for
// such a row as for any other.
template <class T>
void hadamard(std::span<T> row) {
  while (!row.empty()) {
    const std::size_t block = std::bit_floor(row.size());
    const T scale = 1 / std::sqrt(T(block));
    for (T& x : row.first(block)) x *= scale;  // first: sums of large numbers stay finite
    for (std::size_t half = 1; half < block; half *= 2)
      for (std::size_t first = 0; first < block; first += 2 * half)
        for (std::size_t c = first; c < first + half; ++c) {
          const T x = row[c], y = row[c + half];
          row[c] = x + y, row[c + half] = x - y;
        }
    row = row.subspan(block);
  }
}

}  // namespace detail
LONGSPAN_NAMESPACE_END

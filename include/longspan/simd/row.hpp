#pragma once

#include <span>

#include <longspan/core/index.hpp>
#include <longspan/simd/batch.hpp>
#include <longspan/simd/lanes.hpp>
#include <longspan/simd/multiply_add.hpp>

namespace longspan::inline LONGSPAN_ISA {
namespace simd {

// Whole rows of contiguous channels, a batch at a time and the rest one by one.

template <class T>
void scale(std::span<T> row, T factor) {
  using Batch = batch<T>;
  const index_t size = index_t(row.size());
  index_t c = 0;
  for (; c + lanes<Batch> <= size; c += lanes<Batch>) simd::store(row.data() + c, simd::load<Batch>(row.data() + c) * Batch(factor));
  for (; c < size; ++c) row[std::size_t(c)] *= factor;
}

template <class T>
T sum_of_squares(std::span<const T> row) {
  using Batch = batch<T>;
  const index_t size = index_t(row.size());
  Batch sum(T(0));
  index_t c = 0;
  for (; c + lanes<Batch> <= size; c += lanes<Batch>) {
    const Batch x = simd::load<Batch>(row.data() + c);
    sum = multiply_add(x, x, sum);
  }
  T total = reduce_add(sum);
  for (; c < size; ++c) total += row[std::size_t(c)] * row[std::size_t(c)];
  return total;
}

}  // namespace simd
}  // namespace longspan::inline LONGSPAN_ISA

#pragma once

#include <span>

#include <longspan/core/index.hpp>
#include <longspan/simd/batch.hpp>
#include <longspan/simd/lanes.hpp>
#include <longspan/simd/multiply_add.hpp>

LONGSPAN_NAMESPACE_BEGIN
namespace simd {

// Operations on rows of contiguous channels, batch by batch and the rest one by one.

template <class T>
void scale(std::span<T> row, T factor) {
  using Batch = batch<T>;
  const index_t size = index_t(row.size());
  index_t c = 0;
  for (; c + lanes<Batch> <= size; c += lanes<Batch>)
    simd::store(row.data() + c, simd::load<Batch>(row.data() + c) * Batch(factor));
  for (; c < size; ++c) row[std::size_t(c)] *= factor;
}

template <class T>
T dot(std::span<const T> left, std::span<const T> right) {
  using Batch = batch<T>;
  const index_t size = index_t(left.size());
  Batch sum(T(0));
  index_t c = 0;
  for (; c + lanes<Batch> <= size; c += lanes<Batch>)
    sum = multiply_add(simd::load<Batch>(left.data() + c), simd::load<Batch>(right.data() + c), sum);
  T total = reduce_add(sum);
  for (; c < size; ++c) total += left[std::size_t(c)] * right[std::size_t(c)];
  return total;
}

// row = factor row + share other
template <class T>
void scale_and_add(std::span<T> row, T factor, std::span<const T> other, T share) {
  using Batch = batch<T>;
  const index_t size = index_t(row.size());
  index_t c = 0;
  for (; c + lanes<Batch> <= size; c += lanes<Batch>)
    simd::store(row.data() + c, multiply_add(simd::load<Batch>(row.data() + c), Batch(factor),
                                             simd::load<Batch>(other.data() + c) * Batch(share)));
  for (; c < size; ++c) row[std::size_t(c)] = multiply_add(row[std::size_t(c)], factor, other[std::size_t(c)] * share);
}

}  // namespace simd
LONGSPAN_NAMESPACE_END

#pragma once

#include <array>
#include <cstddef>
#include <utility>

#include <longspan/core/index.hpp>
#include <longspan/simd/batch.hpp>
#include <longspan/simd/multiply_add.hpp>

LONGSPAN_NAMESPACE_BEGIN
namespace simd {

// c[0] + c[1] x + c[2] x^2 + ..., one multiply-add for each power (Horner). Written out and not as a loop: g++ keeps a loop of 11 steps,
// which made 2^x in double half as fast.
template <class Batch, std::size_t Count>
Batch polynomial(const std::array<scalar<Batch>, Count>& c, const Batch& x) {
  Batch sum(c.back());
  [&]<std::size_t... Power>(std::index_sequence<Power...>) {
    ((sum = multiply_add(sum, x, Batch(c[Count - 2 - Power]))), ...);
  }(std::make_index_sequence<Count - 1>{});
  return sum;
}

}  // namespace simd
LONGSPAN_NAMESPACE_END

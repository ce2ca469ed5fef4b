#pragma once

#include <vector>

#include <longspan/simd/batch.hpp>

namespace testing_support {

// The lanes of a batch, one after the other; a scalar is its own lane.
template <class Batch>
auto lanes_of(const Batch& value) {
  std::vector<longspan::simd::scalar<Batch>> each(std::size_t(longspan::simd::lanes<Batch>));
  longspan::simd::store(each.data(), value);
  return each;
}

// A batch whose lane l holds f(l).
template <class Batch, class F>
Batch batch_of(F f) {
  using T = longspan::simd::scalar<Batch>;
  std::vector<T> each;
  for (longspan::index_t l = 0; l < longspan::simd::lanes<Batch>; ++l) each.push_back(T(f(l)));
  return longspan::simd::load<Batch>(each.data());
}

}  // namespace testing_support

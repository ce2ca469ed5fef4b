#pragma once

#include <cmath>
#include <limits>
#include <numbers>
#include <optional>

#include <longspan/core/index.hpp>
#include <longspan/simd/batch.hpp>
#include <longspan/simd/exp2.hpp>
#include <longspan/simd/lanes.hpp>

namespace longspan::inline LONGSPAN_ISA {

// The softmax of one query row while its keys arrive tile by tile (arXiv 1805.02867): the maximum so far and the sum of the weights
// under it. The maximum is subtracted before the change to base 2: a difference of close numbers is exact, however large they are. A
// sink is a weight that is there before the first key.
template <class T>
class online_softmax {
  using Batch = batch<T>;
  static constexpr T log2_e = std::numbers::log2e_v<T>, infinity = std::numeric_limits<T>::infinity();

 public:
  explicit online_softmax(std::optional<double> sink = {}) {
    if (!sink) return;
    maximum_ = T(*sink);
    first_ = 1;
  }

  // Takes the largest logit of the next tile; answers what the weights so far, and the output they made, are to be multiplied by.
  T raise(T tile_maximum) {
    const T before = maximum_;
    maximum_ = simd::max(maximum_, tile_maximum);
    if (maximum_ == before) return 1;
    const T shrink = simd::first_lane(simd::exp2(Batch((before - maximum_) * log2_e)));
    sum_ = sum_ * Batch(shrink);
    first_ *= shrink;
    return shrink;
  }

  // Logits to weights, and into the sum. Before any finite maximum the subtrahend is 0: exp2(-infinity) is then 0, not NaN.
  Batch weights(const Batch& logits) {
    const T subtrahend = maximum_ == -infinity ? T(0) : maximum_;
    const Batch weight = simd::exp2((logits - Batch(subtrahend)) * Batch(log2_e));
    sum_ = sum_ + weight;
    return weight;
  }

  T sum() const { return first_ + simd::reduce_add(sum_); }
  T log_sum_exp() const { return maximum_ + std::log(sum()); }

 private:
  T maximum_ = -infinity;
  T first_ = 0;  // the sink's weight
  Batch sum_ = Batch(T(0));
};

}  // namespace longspan::inline LONGSPAN_ISA

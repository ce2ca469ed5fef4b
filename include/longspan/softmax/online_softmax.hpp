#pragma once

#include <cmath>
#include <limits>
#include <numbers>
#include <optional>

#include <longspan/core/index.hpp>
#include <longspan/simd/batch.hpp>
#include <longspan/simd/exp2.hpp>
#include <longspan/simd/lanes.hpp>

LONGSPAN_NAMESPACE_BEGIN
namespace detail {

// The softmax of some keys of one query row: their largest logit and the sum of their weights under it.
template <class T>
struct softmax_part {
  using Batch = batch<T>;
  static constexpr T infinity = std::numeric_limits<T>::infinity();

  T maximum = -infinity;
  Batch sum = Batch(T(0));

  // e^(x - maximum), of a batch or of several abreast. The maximum is subtracted before the multiplication by log2(e): the difference of
  // two close numbers is exact, while their products would be rounded. If all logits are -infinity, 0 is subtracted, so that the weights
  // are 0 and not NaN.
  template <class Batches>
  Batches weights(const Batches& logits) const {
    const T subtrahend = maximum == -infinity ? T(0) : maximum;
    return simd::exp2(logits - Batches(subtrahend), std::numbers::log2e_v<T>);
  }
};

// The softmax of one query row whose keys come part by part (arXiv 1805.02867). The same parts merged in the same order give the
// same bits, whichever thread computed each. A sink is a logit that is counted before the first part.
template <class T>
class online_softmax {
  using Batch = batch<T>;

 public:
  explicit online_softmax(std::optional<double> sink = {}) {
    if (!sink) return;
    whole_.maximum = T(*sink);
    whole_.sum = simd::select(simd::lane_numbers<Batch>() < Batch(T(1)), Batch(T(1)), Batch(T(0)));
  }

  // The factors of the output so far and of the output of the next part. At least one of them is 1.
  struct shares {
    T before, part;
  };
  shares merge(const softmax_part<T>& part) {
    const T step =
        part.maximum == whole_.maximum ? T(0) : part.maximum - whole_.maximum;  // infinities are equal, their difference NaN
    const T less = simd::first_lane(simd::exp2(Batch(-std::abs(step)), std::numbers::log2e_v<T>));
    const shares share{step > 0 ? less : T(1), step > 0 ? T(1) : less};
    whole_.maximum = simd::max(whole_.maximum, part.maximum);
    whole_.sum = simd::multiply_add(whole_.sum, Batch(share.before), part.sum * Batch(share.part));
    return share;
  }

  const softmax_part<T>& whole() const { return whole_; }
  T sum() const { return simd::reduce_add(whole_.sum); }
  T log_sum_exp() const { return whole_.maximum + std::log(sum()); }

 private:
  softmax_part<T> whole_;
};

}  // namespace detail
LONGSPAN_NAMESPACE_END

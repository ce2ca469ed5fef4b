#pragma once

#include <algorithm>
#include <limits>
#include <span>

#include <longspan/core/interval.hpp>
#include <longspan/core/query_row.hpp>
#include <longspan/simd/batch.hpp>
#include <longspan/simd/lanes.hpp>
#include <longspan/simd/quiet.hpp>
#include <longspan/softmax/online_softmax.hpp>
#include <longspan/tile/shape.hpp>
#include <longspan/transform/keys.hpp>

namespace longspan::inline LONGSPAN_ISA {

LONGSPAN_QUIET_BEGIN

// One query row of a tile: what it was told, what it sees of the keys of the call, the function of its logits and its softmax so far.
template <class T, class Mechanism>
struct tile_row {
  using Batch = batch<T>;
  using Transform = decltype(std::declval<const Mechanism&>().transform(query_row{}));
  using Seen = decltype(std::declval<const Mechanism&>().visible(query_row{}));

  query_row told;
  Seen seen;  // counted from the first key of the call
  index_t first_key, width;
  Transform transform;
  online_softmax<T> softmax;

  tile_row(const Mechanism& mechanism, index_t b, index_t h, index_t i)
      : told(mechanism.row(b, h, i)),
        seen(intersect(mechanism.visible(told), mechanism.call.key_positions())),
        first_key(mechanism.call.first_key),
        width(round_up(mechanism.call.value_channels, tile_shape<T>::lanes)),
        transform(mechanism.transform(told)),
        softmax(mechanism.sink_logit(h)) {
    for (interval& run : seen) run = {run.first - first_key, run.last - first_key};
  }

  // Turns the scores of a tile into weights, and shrinks the output where the maximum moved. Two passes over a row that lies in L1:
  // transform, cut and maximum; then weights and their sum.
  void soften(interval tile, T* scores, T* output) {
    constexpr index_t lanes = simd::lanes<Batch>;
    const auto runs = intersect(seen, tile);
    const interval touched = hull(runs);
    if (touched.empty()) return;
    const index_t first = touched.first / lanes * lanes, last = round_up(touched.last, lanes);
    T* const at = scores - tile.first;
    Batch maximum(-std::numeric_limits<T>::infinity());
    for (index_t j = first; j < last; j += lanes) {
      const keys_under<Batch> keys{first_key + j, told.position, simd::lane_numbers<Batch>()};
      Batch logit = transform(simd::load<Batch>(at + j), keys);
      if (!whole(runs, {j, j + lanes})) logit = cut(runs, j, logit);
      simd::store(at + j, logit);
      maximum = simd::max(maximum, logit);
    }
    if (const T shrink = softmax.raise(simd::reduce_max(maximum)); shrink != 1)
      for (index_t c = 0; c < width; c += lanes) simd::store(output + c, simd::load<Batch>(output + c) * Batch(shrink));
    for (index_t j = first; j < last; j += lanes) simd::store(at + j, softmax.weights(simd::load<Batch>(at + j)));
  }

 private:
  static bool whole(const Seen& runs, interval keys) {
    return std::ranges::any_of(runs, [=](const interval& run) { return run.first <= keys.first && keys.last <= run.last; });
  }

  // -infinity for the lanes that no run holds, whatever they held: NaN too.
  static Batch cut(const Seen& runs, index_t j, const Batch& logit) {
    const Batch hidden(-std::numeric_limits<T>::infinity()), lane = simd::lane_numbers<Batch>();
    Batch kept = hidden;
    for (const interval& run : runs)
      kept = simd::select(lane < Batch(T(run.last - j)), simd::select(lane < Batch(T(run.first - j)), kept, logit), kept);
    return kept;
  }
};

LONGSPAN_QUIET_END

}  // namespace longspan::inline LONGSPAN_ISA

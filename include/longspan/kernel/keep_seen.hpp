#pragma once

#include <longspan/core/interval.hpp>
#include <longspan/simd/batch.hpp>
#include <longspan/simd/lanes.hpp>
#include <longspan/simd/quiet.hpp>

LONGSPAN_QUIET_BEGIN

LONGSPAN_NAMESPACE_BEGIN

// The value in the lanes that some run holds, `hidden` in all others whatever they held, NaN too. Lane 0 is key j.
template <std::size_t N, class Batch>
Batch keep_seen(const intervals<N>& runs, index_t j, const Batch& value, const Batch& hidden) {
  using T = simd::scalar<Batch>;
  const Batch lane = simd::lane_numbers<Batch>();
  Batch kept = hidden;
  for (const interval& run : runs)
    kept = simd::select(lane < Batch(T(run.last - j)), simd::select(lane < Batch(T(run.first - j)), kept, value), kept);
  return kept;
}

LONGSPAN_NAMESPACE_END

LONGSPAN_QUIET_END

#pragma once

#include <cstddef>
#include <cstdint>
#include <type_traits>
#include <utility>

#include <longspan/core/index.hpp>
#include <longspan/simd/batch.hpp>
#include <longspan/simd/quiet.hpp>

LONGSPAN_QUIET_BEGIN

LONGSPAN_NAMESPACE_BEGIN
namespace simd {

// The value in the lanes whose bit is set, lane l by bit l; `other` in the rest, whatever the value held there, NaN too.
template <class Batch>
Batch keep(std::uint64_t bits, const Batch& value, const Batch& other) {
  if constexpr (is_scalar<Batch>) {
    return (bits & 1) != 0 ? value : other;
  } else {
    // Without mask registers: each lane looks at its own bit of all of them.
    using lane_bits = std::conditional_t<sizeof(scalar<Batch>) == 8, std::int64_t, std::int32_t>;
    typedef lane_bits lane_vector __attribute__((vector_size(sizeof(Batch))));
    constexpr auto own = []<std::size_t... Lane>(std::index_sequence<Lane...>) { return lane_vector{(lane_bits(1) << Lane)...}; };
    const lane_vector chosen = (lane_vector{} + lane_bits(bits)) & own(std::make_index_sequence<std::size_t(lanes<Batch>)>{});
    return Batch(chosen != 0 ? value.data : other.data);
  }
}

#if XSIMD_WITH_AVX512F && !defined(LONGSPAN_SCALAR)
inline batch<float> keep(std::uint64_t bits, const batch<float>& value, const batch<float>& other) {
  return _mm512_mask_blend_ps(__mmask16(bits), other, value);
}
inline batch<double> keep(std::uint64_t bits, const batch<double>& value, const batch<double>& other) {
  return _mm512_mask_blend_pd(__mmask8(bits), other, value);
}
#endif

}  // namespace simd
LONGSPAN_NAMESPACE_END

LONGSPAN_QUIET_END

#pragma once

#include <array>
#include <cmath>
#include <utility>

#include <longspan/core/index.hpp>
#include <longspan/simd/quiet.hpp>
#include <longspan/simd/scalar.hpp>

LONGSPAN_QUIET_BEGIN
#include <xsimd/xsimd.hpp>
LONGSPAN_QUIET_END

LONGSPAN_NAMESPACE_BEGIN
namespace simd {

// What the kernel computes with: a SIMD register of the instruction set of this translation unit. A scalar is a batch of one lane, used
// under LONGSPAN_SCALAR, in the reference, and where xsimd knows no instruction set.
#if defined(LONGSPAN_SCALAR) || defined(XSIMD_NO_SUPPORTED_ARCHITECTURE)
template <class T>
using batch = T;
#else
template <class T>
using batch = xsimd::batch<T>;
#endif

template <class Batch>
inline constexpr index_t lanes = index_t(sizeof(Batch) / sizeof(scalar<Batch>));

template <class Batch>
inline constexpr bool is_scalar = std::is_same_v<Batch, scalar<Batch>>;

// Whether one instruction loads a scalar into all lanes. SSE takes a second one, a shuffle, for each.
#if XSIMD_WITH_SSE2 && !XSIMD_WITH_AVX && !defined(LONGSPAN_SCALAR)
inline constexpr bool broadcasts_while_loading = false;
#else
inline constexpr bool broadcasts_while_loading = true;
#endif

template <class Batch, class T>
Batch load(const T* from) {
  if constexpr (is_scalar<Batch>)
    return *from;
  else
    return Batch::load_unaligned(from);
}

template <class Batch, class T>
void store(T* to, const Batch& value) {
  if constexpr (is_scalar<Batch>)
    *to = value;
  else
    value.store_unaligned(to);
}

// 0, 1, 2 ... in the lanes.
template <class Batch>
Batch lane_numbers() {
  static constexpr auto numbers = []<std::size_t... Lane>(std::index_sequence<Lane...>) {
    return std::array<scalar<Batch>, sizeof...(Lane)>{scalar<Batch>(Lane)...};
  }(std::make_index_sequence<std::size_t(lanes<Batch>)>{});
  return load<Batch>(numbers.data());
}

}  // namespace simd

namespace detail {
using simd::batch;
}

LONGSPAN_NAMESPACE_END

#pragma once

#include <vector>

#include <xsimd/xsimd.hpp>

#include <longspan/core/config.hpp>

namespace longspan::inline LONGSPAN_ISA {

// Memory of tiles and panels. Aligned to cache lines: a 64-byte load that straddles two of them takes twice the time.
template <class T>
using buffer = std::vector<T, xsimd::aligned_allocator<T, 64>>;

}  // namespace longspan::inline LONGSPAN_ISA

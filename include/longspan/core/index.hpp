#pragma once

#include <cstddef>

#include <longspan/core/config.hpp>

namespace longspan::inline LONGSPAN_ISA {

// Counts, positions and strides: signed, so that differences of positions are themselves, and 64 bits wide on 64-bit machines, so that
// tensors beyond 2^31 elements are ordinary. The same type as Eigen::Index. (POSIX owns the name `index`.)
using index_t = std::ptrdiff_t;

}  // namespace longspan::inline LONGSPAN_ISA

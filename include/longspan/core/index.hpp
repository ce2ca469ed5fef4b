#pragma once

#include <cstddef>

#include <longspan/core/config.hpp>

LONGSPAN_NAMESPACE_BEGIN

// Counts, positions and strides: signed, so that differences of positions are themselves, and 64 bits wide on 64-bit machines, so that
// tensors beyond 2^31 elements are ordinary. The same type as Eigen::Index. (POSIX owns the name `index`.)
using index_t = std::ptrdiff_t;

LONGSPAN_NAMESPACE_END

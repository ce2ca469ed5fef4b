#pragma once

#include <cstddef>

#include <longspan/core/config.hpp>

LONGSPAN_NAMESPACE_BEGIN

// The integer of counts, positions and strides: signed, since differences of positions may be negative, and 64 bits wide on
// 64-bit machines, for tensors of more than 2^31 elements. The same type as Eigen::Index. (POSIX owns the name `index`.)
using index_t = std::ptrdiff_t;

LONGSPAN_NAMESPACE_END

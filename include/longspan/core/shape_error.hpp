#pragma once

#include <stdexcept>
#include <string>

#include <longspan/core/index.hpp>

LONGSPAN_NAMESPACE_BEGIN

// Tensors that do not fit each other. forward, backward and merge throw it before anything is written. The message names the axis
// and both numbers: "key and value differ in tokens: 96 and 95". Like all names of the library it is another type for each
// instruction set (see core/config.hpp): catch std::invalid_argument where it may come from a unit with other compiler flags.
struct shape_error : std::invalid_argument {
  using std::invalid_argument::invalid_argument;
};

namespace detail {

// Two tensors, called left and right in the message, have the same extent along an axis.
inline void require_equal(const char* left, const char* right, const char* axis, index_t a, index_t b) {
  if (a != b)
    throw shape_error(std::string(left) + " and " + right + " differ in " + axis + ": " + std::to_string(a) + " and " +
                      std::to_string(b));
}

// A rotation pairs channels, so their number must be even.
inline void require_even(const char* part, index_t channels) {
  if (channels % 2 != 0)
    throw shape_error(std::string(part) + " rotates pairs of channels, so their number must be even, not " +
                      std::to_string(channels));
}

}  // namespace detail

LONGSPAN_NAMESPACE_END

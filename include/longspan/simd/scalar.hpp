#pragma once

#include <type_traits>

#include <longspan/core/config.hpp>

LONGSPAN_NAMESPACE_BEGIN
namespace simd {

// The scalar in the lanes of a batch, behind a dual number (simd/dual.hpp), or the scalar itself: what a transform rounds its constants to.
template <class Value>
struct scalar_of {
  using type = typename Value::value_type;
};
template <class Value>
  requires std::is_arithmetic_v<Value>
struct scalar_of<Value> {
  using type = Value;
};
template <class Value>
using scalar = typename scalar_of<Value>::type;

}  // namespace simd
LONGSPAN_NAMESPACE_END

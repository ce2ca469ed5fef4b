#pragma once

#include <array>
#include <cstddef>
#include <string>
#include <type_traits>

#include <longspan/core/query_row.hpp>
#include <longspan/core/shape_error.hpp>
#include <longspan/core/shapes.hpp>
#include <longspan/tensor/aliasing.hpp>
#include <longspan/tensor/checked.hpp>
#include <longspan/tensor/traits.hpp>
#include <longspan/tensor/view.hpp>

LONGSPAN_NAMESPACE_BEGIN
namespace detail {

// Tensors beside the queries and keys, with the axes (batch, head, query, key): an axis of extent 1 stands for all.

// Throws shape_error where an axis has neither the extent of the call nor 1.
template <class S>
void require_broadcast(const char* name, const view<S>& tensor, const shapes& lengths) {
  require_memory(name, tensor);
  const auto one = [&](const char* axis, index_t extent, index_t of_call) {
    if (extent != 1 && extent != of_call)
      throw shape_error(std::string(name) + " and the call differ in " + axis + ": " + std::to_string(extent) + " and " +
                        std::to_string(of_call) + "; only an axis of extent 1 stands for all");
  };
  one("batch", tensor.extent[0], lengths.batch);
  one("heads", tensor.extent[1], lengths.heads);
  one("queries", tensor.extent[2], lengths.queries);
  one("keys", tensor.extent[3], lengths.keys);
}

// The element of a query row at key 0 of the key axis.
template <class S>
S* broadcast_row(const view<S>& tensor, const query_row& row) {
  const auto along = [&](std::size_t axis, index_t index) { return tensor.extent[axis] == 1 ? 0 : index * tensor.stride[axis]; };
  return tensor.data + along(0, row.batch) + along(1, row.head) + along(2, row.query);
}

// The places, in the row's text, of the keys along a key axis of so many; and those of them that the text has.
inline interval places_along(index_t keys, const query_row& row) { return {-row.first_key, keys - row.first_key}; }
inline interval places_of_text(index_t keys, const query_row& row) { return intersect(places_along(keys, row), {0, row.keys}); }

// Throws shape_error where the gradient of a part's tensor has other extents, or an element that is also another's or the tensor's.
template <class D, class S>
void require_gradient_of_part(const char* name, const view<D>& gradient, const char* of, const view<S>& tensor,
                              const std::array<const char*, 4>& axes) {
  require_memory(name, gradient);
  for (std::size_t axis = 0; axis < 4; ++axis) require_equal(name, of, axes[axis], gradient.extent[axis], tensor.extent[axis]);
  require_distinct(name, gradient, axes);
  require_apart(name, gradient, of, tensor, "a gradient needs memory of its own");
}

// The view of a tensor that a part refers to: one that ends with the expression it stands in would be gone when the part is used.
template <class X>
constexpr void require_lasting() {
  static_assert(std::is_lvalue_reference_v<X> || std::is_trivially_destructible_v<X>,
                "a part refers to its tensor: give the tensor a name, or hand over a map or a view of memory that lasts");
}
template <class X>
auto lasting_view_of(X&& tensor) {
  require_lasting<X>();
  return detail::view_of(tensor);
}

// A view of what a part has written by the backward pass.
template <class S>
auto writable(const view<S>& gradient) {
  static_assert(!std::is_const_v<S>, "a part's gradient is written by the backward pass: it must not be const");
  return view<std::remove_const_t<S>>{const_cast<std::remove_const_t<S>*>(gradient.data), gradient.extent, gradient.stride};
}

}  // namespace detail
LONGSPAN_NAMESPACE_END

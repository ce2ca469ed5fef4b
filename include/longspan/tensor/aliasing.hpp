#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>

#include <longspan/core/shape_error.hpp>
#include <longspan/tensor/lattice.hpp>
#include <longspan/tensor/view.hpp>

LONGSPAN_NAMESPACE_BEGIN
namespace detail {

// Whether two views share a byte. Elements a and b do where a < b + size of b and b < a + size of a.
template <class A, class B>
bool share_memory(const view<A>& a, const view<B>& b) {
  constexpr auto size_of_a = index_t(sizeof(A)), size_of_b = index_t(sizeof(B));
  if (a.size() == 0 || b.size() == 0) return false;
  lattice apart;
  for (std::size_t axis = 0; axis < 4; ++axis) {
    apart.add(a.stride[axis] * size_of_a, a.extent[axis] - 1);
    apart.add(-b.stride[axis] * size_of_b, b.extent[axis] - 1);
  }
  const auto ahead = index_t(reinterpret_cast<std::intptr_t>(b.data) - reinterpret_cast<std::intptr_t>(a.data));
  return apart.meets(ahead - size_of_a + 1, ahead + size_of_b - 1);
}

template <class A, class B>
void require_apart(const char* written, const view<A>& a, const char* read, const view<B>& b,
                   const char* reason = "attention cannot be computed in place") {
  if (share_memory(a, b)) throw shape_error(std::string(written) + " shares memory with " + read + ": " + reason);
}

// Throws shape_error where two elements of an output have the same address: some steps along one axis lead to where steps along those
// after it do, forwards or backwards. The axes are named as those who call it know them.
template <class S>
void require_distinct(const char* name, const view<S>& tensor,
                      const std::array<const char*, 4>& axes = {"batch", "heads", "tokens", "channels"}) {
  if (tensor.size() == 0) return;
  for (std::size_t axis = 0; axis < 4; ++axis) {
    const index_t stride = tensor.stride[axis], steps = tensor.extent[axis] - 1;
    if (steps == 0) continue;
    lattice back;
    back.add(stride, steps - 1);
    for (std::size_t other = axis + 1; other < 4; ++other) {
      back.add(tensor.stride[other], tensor.extent[other] - 1);
      back.add(-tensor.stride[other], tensor.extent[other] - 1);
    }
    if (back.meets(-stride, -stride))
      throw shape_error(std::string(name) + " writes elements over each other along " + axes[axis] + ": extent " +
                        std::to_string(steps + 1) + " and stride " + std::to_string(stride));
  }
}

// Throws shape_error where an element of what is written has the address of another or of what a pass reads.
template <class Tensors, class S>
void require_apart_from_read(const Tensors& tensors, const char* name, const view<S>& written) {
  require_distinct(name, written);
  tensors.for_each_read([&](const char* read, const auto& tensor) { require_apart(name, written, read, tensor); });
}

// The same for both results, and the two against each other.
template <class Tensors>
void require_unaliased(const Tensors& tensors) {
  require_apart_from_read(tensors, "output", tensors.output);
  require_apart_from_read(tensors, "log_sum_exp", tensors.log_sum_exp);
  require_apart("output", tensors.output, "log_sum_exp", tensors.log_sum_exp);
}

// The same for the three gradients.
template <class Tensors>
void require_gradients_unaliased(const Tensors& tensors) {
  tensors.for_each_gradient([&](const char* name, const auto& written) { require_apart_from_read(tensors, name, written); });
  require_apart("d_query", tensors.d_query, "d_key", tensors.d_key);
  require_apart("d_query", tensors.d_query, "d_value", tensors.d_value);
  require_apart("d_key", tensors.d_key, "d_value", tensors.d_value);
}

}  // namespace detail
LONGSPAN_NAMESPACE_END

#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdlib>
#include <string>

#include <longspan/core/interval.hpp>
#include <longspan/core/shape_error.hpp>
#include <longspan/tensor/view.hpp>

LONGSPAN_NAMESPACE_BEGIN
namespace detail {

// The bytes from the first to the last element of a view, as addresses.
template <class S>
interval bytes(const view<S>& tensor) {
  if (tensor.size() == 0) return {};
  interval all{0, 1};
  for (std::size_t axis = 0; axis < 4; ++axis) {
    const index_t reach = (tensor.extent[axis] - 1) * tensor.stride[axis];
    (reach < 0 ? all.first : all.last) += reach;
  }
  const auto base = index_t(reinterpret_cast<std::intptr_t>(tensor.data));
  return {base + all.first * index_t(sizeof(S)), base + all.last * index_t(sizeof(S))};
}

// Whether two views that span the same bytes share none of them, as the queries and keys of a fused projection do. It is decided
// for views with the same stride from token to token, the period, and with strides from batch to batch that are multiples of it:
// they are apart if the bytes of each head, taken modulo the period, are.
template <class A, class B>
bool interleaved(const view<A>& a, const view<B>& b) {
  const index_t period = std::abs(a.stride[2]) * index_t(sizeof(A));
  if (period == 0 || period != std::abs(b.stride[2]) * index_t(sizeof(B))) return false;
  if (a.stride[0] * index_t(sizeof(A)) % period != 0 || b.stride[0] * index_t(sizeof(B)) % period != 0) return false;
  const auto row = []<class S>(const view<S>& tensor, index_t h) {
    return bytes(view<S>{tensor.data + h * tensor.stride[1], {1, 1, 1, tensor.extent[3]}, tensor.stride});
  };
  for (index_t h = 0; h < a.extent[1]; ++h)
    for (index_t g = 0; g < b.extent[1]; ++g) {
      const interval left = row(a, h), right = row(b, g);
      const index_t ahead = ((right.first - left.first) % period + period) % period;
      if (ahead < left.size() || ahead + right.size() > period) return false;
    }
  return true;
}

template <class A, class B>
void require_apart(const char* written, const view<A>& a, const char* read, const view<B>& b,
                   const char* reason = "attention cannot be computed in place") {
  if (!intersect(bytes(a), bytes(b)).empty() && !interleaved(a, b))
    throw shape_error(std::string(written) + " shares memory with " + read + ": " + reason);
}

// Throws shape_error where two elements of an output may have the same address: with the axes sorted by stride, each stride must
// be at least what the smaller axes span.
template <class S>
void require_distinct(const char* name, const view<S>& tensor) {
  std::array<std::array<index_t, 2>, 4> axes;  // stride, extent
  for (std::size_t axis = 0; axis < 4; ++axis) axes[axis] = {std::abs(tensor.stride[axis]), tensor.extent[axis]};
  std::ranges::sort(axes);
  index_t spanned = 1;
  for (const auto& [stride, extent] : axes) {
    if (extent > 1 && stride < spanned && tensor.size() > 0)
      throw shape_error(std::string(name) + " writes elements over each other: stride " + std::to_string(stride) + " and " +
                        std::to_string(spanned) + " elements below it");
    if (extent > 1) spanned += (extent - 1) * stride;
  }
}

// Throws shape_error where an element of a result has the address of another or of an input.
template <class Tensors, class S>
void require_apart_from_inputs(const Tensors& tensors, const char* name, const view<S>& written) {
  require_distinct(name, written);
  require_apart(name, written, "query", tensors.query);
  require_apart(name, written, "key", tensors.key);
  require_apart(name, written, "value", tensors.value);
}

// The same for both results, and the two against each other.
template <class Tensors>
void require_unaliased(const Tensors& tensors) {
  require_apart_from_inputs(tensors, "output", tensors.output);
  require_apart_from_inputs(tensors, "log_sum_exp", tensors.log_sum_exp);
  require_apart("output", tensors.output, "log_sum_exp", tensors.log_sum_exp);
}

// The same for the three gradients, also against the results and their gradients.
template <class Tensors>
void require_gradients_unaliased(const Tensors& tensors) {
  const auto one = [&](const char* name, const auto& written) {
    require_apart_from_inputs(tensors, name, written);
    require_apart(name, written, "output", tensors.output);
    require_apart(name, written, "log_sum_exp", tensors.log_sum_exp);
    require_apart(name, written, "d_output", tensors.d_output);
    require_apart(name, written, "d_log_sum_exp", tensors.d_log_sum_exp);
  };
  one("d_query", tensors.d_query);
  one("d_key", tensors.d_key);
  one("d_value", tensors.d_value);
  require_apart("d_query", tensors.d_query, "d_key", tensors.d_key);
  require_apart("d_query", tensors.d_query, "d_value", tensors.d_value);
  require_apart("d_key", tensors.d_key, "d_value", tensors.d_value);
}

}  // namespace detail
LONGSPAN_NAMESPACE_END

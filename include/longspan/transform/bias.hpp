#pragma once

#include <concepts>
#include <type_traits>
#include <utility>

#include <longspan/core/query_row.hpp>
#include <longspan/core/shapes.hpp>
#include <longspan/tensor/broadcast.hpp>
#include <longspan/tensor/traits.hpp>
#include <longspan/tensor/view.hpp>
#include <longspan/transform/bias_sums.hpp>
#include <longspan/transform/concept.hpp>
#include <longspan/transform/gradient_taker.hpp>
#include <longspan/transform/key_numbers.hpp>
#include <longspan/transform/key_sums.hpp>

LONGSPAN_NAMESPACE_BEGIN

// Bias: z = s + B[batch, head, query, key], numbers that are data: masks by weight, learned relative positions, importance of keys. An
// axis of extent 1 stands for all, tensors of lower rank miss leading axes: (queries, keys) serves all heads, (batch, head, 1, keys) is a
// number for each key. Float, double, half or bfloat16, any strides, read where it lies and added in the precision of the logits; it
// must live as long as the mechanism. -infinity is a weight of 0: unlike a mask it does not change n. A column-major tensor or matrix is
// read as q is, with its axes reversed: rows are keys, b(j, i) is that of query i and key j.
//
// `bias{tensor, gradient}` also has its gradient written by the backward pass: a tensor of the same extents, in any of those types, which
// is overwritten. It is summed over axes of extent 1, the same bits for any device, and 0 where nothing is seen. While the call runs, sums
// may take memory, of 4 bytes a number, 8 where the computation is in double:
//   keys are 1        a SIMD register (16 floats with AVX-512) for each batch, head and query of the call
//   queries are 1     a number for each batch, head and key of the call
//   both are more     none where the gradient is of the precision of the computation. Where it is of another (half and bfloat16 always,
//                     double beside float) queries x keys numbers for each batch and head of the bias: 8.6 GB for 32 heads of 8192 x 8192
//
// Axes count the queries and keys of the tensors of the call. Throws shape_error where an axis has another extent than the call and
// than 1, where the gradient has other extents than the bias, and where it shares memory with itself or with any tensor of the call.
template <class S, class D = void>
struct bias;

namespace detail {

template <class S>
struct biased_row {
  key_numbers<S> numbers;

  auto operator()(const auto& logit, const auto& keys) const { return logit + keys.read(numbers); }
};

// The same for a backward pass that asks for the gradient.
template <class T, class S>
struct taking_biased_row : biased_row<S> {
  key_sums<T> sums;
  bool heads_add_up;

  void take(const auto&, const auto& d_logit, const auto& keys, auto*) const { sums.add(keys.first, d_logit); }
};

}  // namespace detail

template <class S>
struct bias<S, void> {
  static_assert(detail::are_numbers<S>());
  static constexpr stage order = stage::bias;
  view<const S> tensor;

  template <class X>
    requires(!std::derived_from<std::remove_cvref_t<X>, bias>)
  explicit bias(X&& numbers) : tensor(detail::lasting_view_of(std::forward<X>(numbers))) {}

  detail::biased_row<S> operator()(const query_row& row) const {
    const index_t stride = tensor.extent[3] == 1 ? 0 : tensor.stride[3];
    return {{detail::broadcast_row(tensor, row), stride, detail::places_along(tensor.extent[3], row)}};
  }

  void check(const shapes& lengths) const { detail::require_broadcast("bias", tensor, lengths); }
  void for_each_tensor(auto visit) const { visit("bias", tensor); }
};

template <class S, class D>
struct bias : bias<S> {
  static_assert(detail::are_numbers<D>());
  view<D> gradient;

  template <class X, class Y>
  bias(X&& numbers, Y&& d_numbers)
      : bias<S>(std::forward<X>(numbers)), gradient(detail::writable(detail::lasting_view_of(std::forward<Y>(d_numbers)))) {}

  void check(const shapes& lengths) const {
    bias<S>::check(lengths);
    detail::require_gradient_of_part("d_bias", gradient, "bias", this->tensor, {"batch", "heads", "queries", "keys"});
  }
  void for_each_gradient(auto visit) const { visit("d_bias", gradient); }

  template <class T>
  detail::taking_biased_row<T, S> taking(const query_row& row, const detail::bias_sums<T, D>& sums) const {
    return {(*this)(row), sums(row), sums.heads_add_up()};
  }
  template <class T>
  auto taker(const shapes& lengths) const {
    return detail::gradient_taker<bias, detail::bias_sums<T, D>>{*this, {gradient, lengths}};
  }
};

namespace detail {

// What a bias of X holds. One of a bias is a copy of it.
template <class X>
struct number_of_bias {
  using type = element_of<X>;
};
template <class S, class D>
struct number_of_bias<bias<S, D>> {
  using type = void;
};
template <class X>
using bias_number = typename number_of_bias<std::remove_cvref_t<X>>::type;

}  // namespace detail

template <class X>
  requires(!std::is_void_v<detail::bias_number<X>>)
bias(X&&) -> bias<detail::bias_number<X>>;
template <class X, class Y>
bias(X&&, Y&&) -> bias<detail::bias_number<X>, detail::bias_number<Y>>;

LONGSPAN_NAMESPACE_END

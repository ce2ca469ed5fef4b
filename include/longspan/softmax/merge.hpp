#pragma once

#include <algorithm>
#include <cmath>
#include <limits>
#include <type_traits>
#include <utility>

#include <longspan/core/device.hpp>
#include <longspan/core/shape_error.hpp>
#include <longspan/core/shapes.hpp>
#include <longspan/tensor/aliasing.hpp>
#include <longspan/tensor/attended.hpp>
#include <longspan/tensor/checked.hpp>
#include <longspan/tensor/copy_tokens.hpp>
#include <longspan/tensor/traits.hpp>
#include <longspan/tensor/view.hpp>

LONGSPAN_NAMESPACE_BEGIN
namespace detail {

// The share of two parts in their union, from their log-sum-exps. A part that saw nothing, -infinity, takes no share; NaN stays
// NaN.
template <class T>
struct merged_row {
  T left, right, log_sum_exp;

  merged_row(T a, T b) {
    const T top = std::max(a, b), subtrahend = top == -std::numeric_limits<T>::infinity() ? T(0) : top;
    const T x = std::exp(a - subtrahend), y = std::exp(b - subtrahend), sum = x + y;
    left = sum == 0 ? T(0) : x / sum;
    right = sum == 0 ? T(0) : y / sum;
    log_sum_exp = subtrahend + std::log(sum);
  }
};

// Attention over some of the keys, as views.
template <class S, class T>
struct part_view {
  using number = std::remove_const_t<S>;
  using compute = std::remove_const_t<T>;
  view<S> output;
  view<T> log_sum_exp;
};

template <class Part>
auto view_part(Part& part) {
  const auto output = detail::view_of(part.output);
  const auto log_sum_exp = traits_of<decltype(part.log_sum_exp)>::log_sum_exp_of(part.log_sum_exp);
  return part_view<std::remove_pointer_t<decltype(output.data)>, std::remove_pointer_t<decltype(log_sum_exp.data)>>{output,
                                                                                                                    log_sum_exp};
}

// The output and the log-sum-exp of each part fit, and so do the parts.
template <class Left, class Right>
void require_mergeable(const char* left, const Left& a, const char* right, const Right& b) {
  static_assert(std::is_same_v<compute_t<typename Left::number>, typename Left::compute> &&
                    std::is_same_v<compute_t<typename Right::number>, typename Right::compute> &&
                    std::is_same_v<typename Left::compute, typename Right::compute>,
                "double does not mix with narrower numbers: both parts and their log_sum_exp compute in one precision");
  static_assert(is_number<typename Left::number> && is_number<typename Right::number>,
                "parts hold float, double, Eigen::half or Eigen::bfloat16");
  constexpr const char* axes[] = {"batch", "heads", "tokens", "channels"};
  for (std::size_t axis = 0; axis < 4; ++axis)
    require_equal(left, right, axes[axis], a.output.extent[axis], b.output.extent[axis]);
  require_one_a_row("log_sum_exp", a.log_sum_exp), require_one_a_row("log_sum_exp", b.log_sum_exp);
  for (std::size_t axis = 0; axis < 3; ++axis) {
    require_equal("log_sum_exp", "output", axes[axis], a.log_sum_exp.extent[axis], a.output.extent[axis]);
    require_equal("log_sum_exp", "output", axes[axis], b.log_sum_exp.extent[axis], b.output.extent[axis]);
  }
  require_memory(left, a.output), require_memory("log_sum_exp", a.log_sum_exp);
  require_memory(right, b.output), require_memory("log_sum_exp", b.log_sum_exp);
}

// What the outputs of rows hold whose log-sum-exp is -infinity. Parts of the library's own hold 0 where a row saw nothing, and NaN where
// weights of 0 met a NaN or an infinity, which the union is to hold as well. Parts of others may hold anything, and it is left alone.
enum class without_weights { own, anything };

// Writes row i of the union of two parts.
template <without_weights Hold, class Both, class Left, class Right>
void write_merged_row(const Both& both, const Left& left, const Right& right, index_t b, index_t h, index_t i) {
  using T = typename Both::compute;
  const auto part_of = [](T share, T log_sum_exp, T output) {
    const bool left_alone = Hold == without_weights::anything && log_sum_exp == -std::numeric_limits<T>::infinity();
    return left_alone ? T(0) : share * output;
  };
  const T left_sum = *left.log_sum_exp.head(b, h).row(i), right_sum = *right.log_sum_exp.head(b, h).row(i);
  const merged_row<T> share(left_sum, right_sum);
  if (both.log_sum_exp.extent[3] != 0) *both.log_sum_exp.head(b, h).row(i) = share.log_sum_exp;
  auto* const to = both.output.head(b, h).row(i);
  const auto* const from_left = left.output.head(b, h).row(i);
  const auto* const from_right = right.output.head(b, h).row(i);
  for (index_t c = 0; c < both.output.extent[3]; ++c) {
    const T x = part_of(share.left, left_sum, T(from_left[c * left.output.stride[3]]));
    const T y = part_of(share.right, right_sum, T(from_right[c * right.output.stride[3]]));
    to[c * both.output.stride[3]] = static_cast<typename Both::number>(x + y);
  }
}

// Writes the union of two parts, which may be one of them: every element is read before it is written. Without a log-sum-exp where that
// of `both` has no extent.
template <without_weights Hold = without_weights::own, device D, class Both, class Left, class Right>
void write_merged(const D& d, const Both& both, const Left& left, const Right& right) {
  detail::for_each_head(d, both.output, [&](index_t b, index_t h) {
    for (index_t i = 0; i < both.output.extent[2]; ++i) detail::write_merged_row<Hold>(both, left, right, b, h, i);
  });
}

}  // namespace detail

// Attention over two disjoint sets of keys, from the attention over each: new tensors of the kind that forward returns, the
// arguments stay as they are. The parts, attended{output, log_sum_exp}, hold tensors, matrices, maps or views of the shapes of
// one call; the result has the rank, the order and the storage of the left one. A row whose log-sum-exp is -infinity takes no share,
// whatever its output holds, NaN too: it saw nothing. Any number of parts merges pairwise in any grouping; the order fixes the last
// bits. Throws shape_error where the shapes differ, naming the axis and both numbers.
template <class Output, class LogSumExp, class OtherOutput, class OtherLogSumExp>
[[nodiscard]] auto merge(const attended<Output, LogSumExp>& left, const attended<OtherOutput, OtherLogSumExp>& right) {
  const auto a = detail::view_part(left);
  const auto b = detail::view_part(right);
  detail::require_mergeable("left", a, "right", b);
  const auto [batch, heads, queries, channels] = a.output.extent;
  auto both = detail::make_attended<Output, detail::element_of<Output>>(
      {.batch = batch, .heads = heads, .queries = queries, .value_channels = channels});
  detail::write_merged<detail::without_weights::anything>(detail::this_thread{}, detail::view_part(both), a, b);
  return both;
}

// The same in place: `into`, an attended{output, log_sum_exp} of what may be written, becomes the union of itself and `other`.
// Throws shape_error, before anything is written, where the shapes differ or the two share memory.
template <class Into, class Output, class LogSumExp>
void merge_into(Into&& into, const attended<Output, LogSumExp>& other) {
  const auto a = detail::view_part(into);
  const auto b = detail::view_part(other);
  static_assert(!std::is_const_v<std::remove_pointer_t<decltype(a.output.data)>> &&
                    !std::is_const_v<std::remove_pointer_t<decltype(a.log_sum_exp.data)>>,
                "merge_into writes to its first argument, which must not be const: merge makes new memory");
  detail::require_mergeable("into", a, "other", b);
  detail::require_distinct("into", a.output), detail::require_distinct("log_sum_exp", a.log_sum_exp);
  const auto apart = [](const auto& written, const auto& read) {
    detail::require_apart("into", written, "other", read, "it would be overwritten before it is read");
  };
  apart(a.output, b.output), apart(a.output, b.log_sum_exp);
  apart(a.log_sum_exp, b.output), apart(a.log_sum_exp, b.log_sum_exp);
  detail::require_apart("output", a.output, "log_sum_exp", a.log_sum_exp);
  if constexpr (!std::is_const_v<std::remove_pointer_t<decltype(a.output.data)>>)
    detail::write_merged<detail::without_weights::anything>(detail::this_thread{}, a, a, b);
}

LONGSPAN_NAMESPACE_END

#pragma once

#include <algorithm>
#include <cmath>
#include <limits>

#include <longspan/core/shape_error.hpp>
#include <longspan/tensor/attended.hpp>
#include <longspan/tensor/traits.hpp>

LONGSPAN_NAMESPACE_BEGIN

// The share of two parts in their union, from their log-sum-exps. A part that saw nothing, -infinity, takes no share; NaN stays NaN.
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

// Attention over two disjoint sets of keys, from the attention over each: the softmax state is a monoid, so any number of parts merges
// pairwise in any grouping (the order fixes the last bits). Both parts have the shapes of one call. Throws shape_error where they
// differ.
template <class Output, class LogSumExp>
attended<Output, LogSumExp> merge(const attended<Output, LogSumExp>& left, const attended<Output, LogSumExp>& right) {
  using T = compute_t<element_of<Output>>;
  const auto a = view_of(left.output), b = view_of(right.output);
  constexpr const char* axes[] = {"batch", "heads", "tokens", "channels"};
  for (std::size_t axis = 0; axis < 4; ++axis) require_equal("left", "right", axes[axis], a.extent[axis], b.extent[axis]);
  auto both = left;
  const auto out = view_of(both.output);
  const auto lse = traits_of<LogSumExp>::log_sum_exp_of(both.log_sum_exp);
  const auto other = traits_of<LogSumExp>::log_sum_exp_of(right.log_sum_exp);
  for (std::size_t axis = 0; axis < 3; ++axis) {
    require_equal("log_sum_exp", "output", axes[axis], lse.extent[axis], a.extent[axis]);
    require_equal("log_sum_exp", "output", axes[axis], other.extent[axis], a.extent[axis]);
  }
  constexpr T nothing = -std::numeric_limits<T>::infinity();
  for (index_t n = 0; n < out.extent[0]; ++n)
    for (index_t h = 0; h < out.extent[1]; ++h)
      for (index_t i = 0; i < out.extent[2]; ++i) {
        T& kept = *lse.head(n, h).row(i);
        const T a_sum = kept, b_sum = *other.head(n, h).row(i);
        const merged_row<T> share(a_sum, b_sum);
        kept = share.log_sum_exp;
        for (index_t c = 0; c < out.extent[3]; ++c) {
          auto& channel = out.head(n, h).row(i)[c * out.stride[3]];
          const T from_left = a_sum == nothing ? T(0) : share.left * T(channel);
          const T from_right = b_sum == nothing ? T(0) : share.right * T(b.head(n, h).row(i)[c * b.stride[3]]);
          channel = static_cast<element_of<Output>>(from_left + from_right);
        }
      }
  return both;
}

LONGSPAN_NAMESPACE_END

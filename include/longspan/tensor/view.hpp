#pragma once

#include <algorithm>
#include <array>
#include <concepts>
#include <limits>
#include <type_traits>

#include <longspan/core/index.hpp>
#include <longspan/core/interval.hpp>
#include <longspan/simd/batch.hpp>
#include <longspan/simd/widen.hpp>

LONGSPAN_NAMESPACE_BEGIN

namespace detail {

// The tokens of one head: rows of channels with strides, in elements.
template <class S>
struct head_view {
  using number = std::remove_const_t<S>;
  S* data = nullptr;
  index_t tokens = 0, channels = 0;
  index_t token_stride = 0, channel_stride = 0;

  S* row(index_t token) const { return data + token * token_stride; }
  // The first token after some token that does not lie token_stride behind the one before it: of a tensor, none.
  static constexpr index_t together_until(index_t) { return std::numeric_limits<index_t>::max(); }
};

// What holds the tokens of one head: a head_view, or pages of one (tensor/paged.hpp).
template <class Head>
concept head_rows = requires(const Head& head, index_t token) {
  typename Head::number;
  { head.row(token) } -> std::convertible_to<const typename Head::number*>;
  { head.together_until(token) } -> std::same_as<index_t>;
  head.tokens, head.channels, head.token_stride, head.channel_stride;
};

// Calls visit(interval) for the stretches of some tokens, in order, within which each lies token_stride behind the one before it.
template <head_rows Head, class Visit>
void for_each_lying_together(const Head& head, interval tokens, Visit visit) {
  for (interval some{tokens.first, tokens.first}; some.last < tokens.last; some.first = some.last) {
    some.last = std::min(head.together_until(some.first), tokens.last);
    visit(some);
  }
}

// Copies the channels of a token, between any two strides and precisions.
template <class From, class To>
void copy_row(const From* from, index_t from_stride, To* to, index_t to_stride, index_t channels) {
  if constexpr (std::is_same_v<From, To>)
    if (from_stride == 1 && to_stride == 1) {
      std::copy(from, from + channels, to);
      return;
    }
  index_t c = 0;
  if constexpr (std::is_same_v<To, float> && narrow_format<From> != narrow::no)
    if constexpr (simd::widens<narrow_format<From>>)
      if (from_stride == 1 && to_stride == 1)
        for (constexpr index_t lanes = simd::lanes<batch<float>>; c + lanes <= channels; c += lanes)
          simd::store(to + c, simd::widen<narrow_format<From>>(from + c));
  for (; c < channels; ++c) to[c * to_stride] = static_cast<To>(from[c * from_stride]);
}

}  // namespace detail

// Strided memory as a tensor of (batch, head, token, channel): what an engine hands over instead of an Eigen tensor. Extents and
// strides count elements of S, not bytes. Inputs may have any strides; elements of an output must not share an address.
template <class S>
struct view {
  S* data = nullptr;
  std::array<index_t, 4> extent{};
  std::array<index_t, 4> stride{};

  operator view<const S>() const
    requires(!std::is_const_v<S>)
  {
    return {data, extent, stride};
  }

  detail::head_view<S> head(index_t batch, index_t h) const {
    return {data + batch * stride[0] + h * stride[1], extent[2], extent[3], stride[2], stride[3]};
  }
  // Some tokens of one row of the batch, as a tensor of batch 1.
  view tokens_of(index_t batch, interval tokens) const {
    return {data + batch * stride[0] + tokens.first * stride[2], {1, extent[1], tokens.size(), extent[3]}, stride};
  }
  const view& memory() const { return *this; }
  // Whether all heads of a token lie before the next token; and whether another view has the same of some keys.
  bool heads_side_by_side() const { return stride[1] < stride[2]; }
  // Whether a token is one row of memory, head after head without gaps.
  bool tokens_are_rows() const { return stride[3] == 1 && stride[1] == extent[3] && heads_side_by_side(); }
  bool shares(const view& other, interval) const {
    return data == other.data && stride == other.stride && extent == other.extent;
  }
  index_t size() const { return extent[0] * extent[1] * extent[2] * extent[3]; }
};

LONGSPAN_NAMESPACE_END

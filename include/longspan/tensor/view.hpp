#pragma once

#include <algorithm>
#include <array>
#include <type_traits>

#include <longspan/core/index.hpp>
#include <longspan/simd/batch.hpp>
#include <longspan/simd/widen.hpp>

LONGSPAN_NAMESPACE_BEGIN

namespace detail {

// The tokens of one head: rows of channels with strides, in elements.
template <class S>
struct head_view {
  S* data = nullptr;
  index_t tokens = 0, channels = 0;
  index_t token_stride = 0, channel_stride = 0;

  S* row(index_t token) const { return data + token * token_stride; }
};

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
  index_t size() const { return extent[0] * extent[1] * extent[2] * extent[3]; }
};

LONGSPAN_NAMESPACE_END

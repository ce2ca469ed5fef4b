#pragma once

#include <longspan/core/device.hpp>
#include <longspan/core/index.hpp>
#include <longspan/tensor/view.hpp>

LONGSPAN_NAMESPACE_BEGIN
namespace detail {

// A tensor in memory of its own, heads and tokens one behind the other.
template <class S>
view<S> packed_view(S* memory, index_t batch, index_t heads, index_t tokens, index_t channels) {
  return {memory, {batch, heads, tokens, channels}, {heads * tokens * channels, tokens * channels, channels, 1}};
}

// Calls work(b, h) for every head of every row of a tensor's batch.
template <device D, class S, class Work>
void for_each_head(const D& d, const view<S>& of, const Work& work) {
  const index_t heads = of.extent[1];
  detail::for_each_item(d, of.extent[0] * heads, [&](index_t, index_t item) { work(item / heads, item % heads); });
}

// Copies all tokens of one tensor to those of another of the same extents.
template <device D, class From, class To>
void copy_tokens(const D& d, const view<From>& from, const view<To>& to) {
  detail::for_each_head(d, from, [&](index_t b, index_t h) {
    const auto source = from.head(b, h);
    const auto target = to.head(b, h);
    for (index_t i = 0; i < source.tokens; ++i)
      copy_row(source.row(i), source.channel_stride, target.row(i), target.channel_stride, source.channels);
  });
}

// Adds the numbers of one tensor to those of another of the same extents.
template <device D, class From, class T>
void add_tokens(const D& d, const view<From>& from, const view<T>& to) {
  detail::for_each_head(d, from, [&](index_t b, index_t h) {
    const auto summand = from.head(b, h);
    const auto sum = to.head(b, h);
    for (index_t i = 0; i < summand.tokens; ++i)
      for (index_t c = 0; c < summand.channels; ++c)
        sum.row(i)[c * sum.channel_stride] += summand.row(i)[c * summand.channel_stride];
  });
}

}  // namespace detail
LONGSPAN_NAMESPACE_END

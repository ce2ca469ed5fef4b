#pragma once

#include <algorithm>
#include <span>

#include <longspan/core/index.hpp>
#include <longspan/tensor/view.hpp>

LONGSPAN_NAMESPACE_BEGIN

// Hands over the gradient of a token's channels, from that of the prepared row, which it takes the place of: back(channels, scratch) is
// the transpose of the preparation. Nothing in, nothing out: what no row sees has a gradient of 0, whatever it holds. `room` holds the
// channels and scratch for the parts that turn them.
template <class T, class S, class D, class Back>
void unprepare_row(const head_view<const S>& from, index_t token, std::span<T> gradient, D* to, index_t channel_stride, T* room,
                   Back back) {
  if (!std::ranges::all_of(gradient, [](T x) { return x == 0; })) {
    copy_row(from.row(token), from.channel_stride, room, 1, from.channels);
    back(std::span<const T>(room, gradient.size()), room + from.channels);
  }
  copy_row(gradient.data(), 1, to, channel_stride, from.channels);
}
template <class Mechanism>
index_t room_of(const Mechanism& mechanism) {
  return (1 + Mechanism::turns) * mechanism.call.channels;
}

LONGSPAN_NAMESPACE_END

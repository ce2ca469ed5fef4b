#pragma once

#include <algorithm>
#include <span>

#include <longspan/core/index.hpp>
#include <longspan/tensor/view.hpp>

LONGSPAN_NAMESPACE_BEGIN
namespace detail {

// Writes the gradient of a token's channels to `to`. `gradient` holds that of the prepared row, and is worked in: back(channels, scratch),
// the transpose of the preparation, is applied to it in place. A gradient of zeros stays zeros without it, so that a token that no row
// sees, which may hold NaN, has a gradient of 0. `room` holds the token's channels and scratch for its row parts (room_of).
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
  return (1 + Mechanism::turns) * mechanism.lengths.channels;
}

}  // namespace detail
LONGSPAN_NAMESPACE_END

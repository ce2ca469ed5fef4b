#pragma once

#include <algorithm>
#include <span>

#include <longspan/core/index.hpp>
#include <longspan/tensor/view.hpp>
#include <longspan/tile/shape.hpp>

namespace longspan::inline LONGSPAN_ISA {

// Keys and values of one key head as the products read them. Keys are prepared and transposed into panels: channel c of key j of a
// panel stands at c * panel + j. Values are rows of contiguous channels, the tensor's own memory where it already is that.
template <class T>
struct head_operands {
  using shape = tile_shape<T>;

  T* keys;
  T* packed_values;  // null where the values are read in place
  const T* values;
  index_t value_stride;

  static index_t key_size(index_t keys, index_t channels) { return round_up(keys, shape::panel) * channels; }

  // Whether rows of a product can be loaded from the tensor: T itself, contiguous, whole batches.
  template <class S>
  static bool readable(const view<const S>& v) {
    return std::is_same_v<S, T> && v.stride[3] == 1 && v.extent[3] % shape::lanes == 0;
  }
};

// Fills the panel that begins at key `first`: turns, normalises and transposes the keys, and packs the values where they need it.
// `row` holds the channels of one panel's keys.
template <class T, class Mechanism, class S>
void prepare_panel(const Mechanism& mechanism, const head_view<const S>& keys, const head_view<const S>& values,
                   const head_operands<T>& to, index_t first, std::span<T> rows) {
  constexpr index_t panel = tile_shape<T>::panel;
  const index_t channels = keys.channels, last = std::min(first + panel, keys.tokens);
  for (index_t j = first; j < last; ++j) {
    const std::span<T> row = rows.subspan(std::size_t((j - first) * channels), std::size_t(channels));
    for (index_t c = 0; c < channels; ++c) row[std::size_t(c)] = T(keys.row(j)[c * keys.channel_stride]);
    mechanism.key(row, mechanism.call.first_key + j);
  }
  T* out = to.keys + first * channels;
  for (index_t c = 0; c < channels; ++c, out += panel) {
    for (index_t j = 0; j < last - first; ++j) out[j] = rows[std::size_t(j * channels + c)];
    std::fill(out + (last - first), out + panel, T(0));
  }
  if (to.packed_values != nullptr)
    for (index_t j = first; j < last; ++j)
      for (index_t c = 0; c < to.value_stride; ++c)
        to.packed_values[j * to.value_stride + c] = c < values.channels ? T(values.row(j)[c * values.channel_stride]) : T(0);
}

}  // namespace longspan::inline LONGSPAN_ISA

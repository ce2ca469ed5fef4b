#pragma once

#include <algorithm>
#include <span>
#include <type_traits>

#include <longspan/core/index.hpp>
#include <longspan/tensor/view.hpp>
#include <longspan/tile/shape.hpp>
#include <longspan/tile/transpose.hpp>

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

// Fills the panel that begins at key `first`: reads, turns, normalises and transposes the keys, and packs the values where they need
// it. `rows` holds the keys of one panel, each padded to whole batches.
template <class T, class Mechanism, class K, class V>
void prepare_panel(const Mechanism& mechanism, const head_view<const K>& keys, const head_view<const V>& values,
                   const head_operands<T>& to, index_t first, std::span<T> rows) {
  using shape = tile_shape<T>;
  const index_t channels = keys.channels, stride = round_up(channels, shape::lanes), last = std::min(first + shape::panel, keys.tokens);
  std::fill(rows.begin() + (last - first) * stride, rows.end(), T(0));
  for (index_t j = first; j < last; ++j) {
    T* const row = rows.data() + (j - first) * stride;
    copy_row(keys.row(j), keys.channel_stride, row, 1, channels);
    mechanism.key(std::span<T>(row, std::size_t(channels)), mechanism.call.first_key + j);
  }
  for (index_t j = 0; j < shape::panel; j += shape::lanes)
    for (index_t c = 0; c < channels; c += shape::lanes)
      transpose(rows.data() + j * stride + c, stride, to.keys + first * channels + c * shape::panel + j, shape::panel, channels - c);
  if (to.packed_values == nullptr) return;
  for (index_t j = first; j < last; ++j) {
    T* const row = to.packed_values + j * to.value_stride;
    copy_row(values.row(j), values.channel_stride, row, 1, values.channels);
    std::fill(row + values.channels, row + to.value_stride, T(0));
  }
}

}  // namespace longspan::inline LONGSPAN_ISA

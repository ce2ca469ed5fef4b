#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <type_traits>

#include <longspan/core/index.hpp>
#include <longspan/core/interval.hpp>
#include <longspan/core/key_set.hpp>
#include <longspan/simd/batch.hpp>
#include <longspan/simd/widen.hpp>

LONGSPAN_NAMESPACE_BEGIN

// A row of numbers in memory, one for each key, as the body of a transform reads it: `keys.read(numbers)`. The number of the key at
// position j of the text is data[(j - keys.first) * stride], stride in elements. S is float, double, Eigen::half or Eigen::bfloat16.
// Nothing is read for positions outside `keys`: there the number is 0. A stride of 0 says that all keys share data[0], also those.
template <class S>
struct key_numbers {
  const S* data = nullptr;
  index_t stride = 1;
  interval keys = {};
};
template <class S>
key_numbers(const S*, index_t, interval) -> key_numbers<S>;
template <class S>
key_numbers(S*, index_t, interval) -> key_numbers<S>;

namespace detail {

// Whether numbers of type S that lie side by side become a batch by one instruction or two.
template <class Batch, class S>
constexpr bool loads_at_once() {
  if constexpr (simd::is_scalar<Batch>)
    return false;
  else if constexpr (narrow_format<S> != narrow::no)
    return std::is_same_v<Batch, simd::batch<float>> && simd::widens<narrow_format<S>>;
  else
    return std::is_same_v<simd::scalar<Batch>, S>;
}

// Those of the keys from position `first` on, lane by lane. Not inlined: it serves the ends of rows and strides.
template <class Batch, class S>
[[gnu::noinline]] Batch read_lane_by_lane(const S* data, index_t stride, interval keys, index_t first) {
  using T = simd::scalar<Batch>;
  std::array<T, std::size_t(simd::lanes<Batch>)> each{};
  for (index_t l = 0; l < simd::lanes<Batch>; ++l)
    if (keys.contains(first + l)) each[std::size_t(l)] = static_cast<T>(data[(first + l - keys.first) * stride]);
  return simd::load<Batch>(each.data());
}

// Whether the keys of a batch from position `first` on are all among some. One comparison: a difference below 0 is a large number without
// its sign.
template <class Batch>
bool hold_batch(interval keys, index_t first) {
  return std::uint64_t(first - keys.first) < std::uint64_t(std::max<index_t>(keys.size() - simd::lanes<Batch> + 1, 0));
}

// Asks for what the row has a panel of keys further on. Several rows are read abreast, each a page or more from the next, and hardware
// prefetchers lose some: an (n, n) bias of 4096 floats adds 12 to 20 % to an attention and not 28 (Zen 5), 8 to a backward pass and not 25.
// Into L2, since such rows share few sets of L1. An address and not a pointer: it may lie beyond the row.
template <class S>
void ask_for_next_panel(const S* from) {
  constexpr int level_2 = 2;
  const auto address = reinterpret_cast<std::intptr_t>(from) + panel_keys * index_t(sizeof(S));
  __builtin_prefetch(reinterpret_cast<const void*>(address), 0, level_2);
}

template <class Batch, class S>
Batch read_numbers(const key_numbers<S>& numbers, index_t first) {
  if constexpr (loads_at_once<Batch, S>())
    if (numbers.stride == 1 && detail::hold_batch<Batch>(numbers.keys, first)) [[likely]] {
      const S* const from = numbers.data + (first - numbers.keys.first);
      detail::ask_for_next_panel(from);
      if constexpr (narrow_format<S> != narrow::no)
        return simd::widen<narrow_format<S>>(from);
      else
        return simd::load<Batch>(from);
    }
  if (numbers.stride == 0) return Batch(static_cast<simd::scalar<Batch>>(*numbers.data));
  return detail::read_lane_by_lane<Batch>(numbers.data, numbers.stride, numbers.keys, first);
}

}  // namespace detail

LONGSPAN_NAMESPACE_END

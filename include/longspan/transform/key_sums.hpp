#pragma once

#include <longspan/core/index.hpp>
#include <longspan/core/interval.hpp>
#include <longspan/simd/batch.hpp>
#include <longspan/transform/key_numbers.hpp>

LONGSPAN_NAMESPACE_BEGIN
namespace detail {

// A row of sums in memory, one for each key, to which gradients are added: the counterpart of key_numbers. Only sums of positions in `keys`
// are touched. With a stride of 0 all keys share a batch of sums at `data`, one for each lane: whoever reads it adds the lanes up.
template <class T>
struct key_sums {
  T* data = nullptr;
  index_t stride = 1;
  interval keys = {};

  // Adds a number for each of the keys from position `first` on.
  template <class Batch>
  void add(index_t first, const Batch& numbers) const {
    if (stride == 1 && detail::hold_batch<Batch>(keys, first)) [[likely]] {
      T* const to = data + (first - keys.first);
      ask_for_next_panel(to);
      add_to(to, numbers);
    } else if (stride == 0) {
      add_to(data, numbers);
    } else {
      add_lane_by_lane(first, numbers);
    }
  }

 private:
  template <class Batch>
  static void add_to(T* to, const Batch& numbers) {
    simd::store(to, simd::load<Batch>(to) + numbers);
  }
  template <class Batch>
  [[gnu::noinline]] void add_lane_by_lane(index_t first, const Batch& numbers) const {
    constexpr index_t lanes = simd::lanes<Batch>;
    T each[lanes];
    simd::store(each, numbers);
    for (index_t l = 0; l < lanes; ++l)
      if (keys.contains(first + l)) data[(first + l - keys.first) * stride] += each[l];
  }
};

}  // namespace detail
LONGSPAN_NAMESPACE_END

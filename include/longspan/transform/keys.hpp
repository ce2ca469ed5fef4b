#pragma once

#include <longspan/core/index.hpp>
#include <longspan/simd/dual.hpp>
#include <longspan/transform/key_numbers.hpp>

LONGSPAN_NAMESPACE_BEGIN
namespace detail {

// The keys of one batch of logits, as the body of a transform is given them. Batch is the type of the logits. In float a position
// is exact up to 2^24; a distance is exact if it is at most 2^24 itself, wherever the two tokens are.
template <class Batch>
struct keys_under {
  index_t first = 0;  // position of the key under lane 0; the others follow it
  index_t query = 0;  // position of the query
  Batch lane{};       // 0, 1, 2 ...

  // j of each lane.
  Batch position() const { return lane + from(first); }
  // t = i - j of each lane: 0 for the query itself, negative for keys after it.
  Batch distance() const { return from(query - first) - lane; }
  // The numbers of the keys in a row of memory, see key_numbers. Beside dual numbers they have a slope of 0.
  template <class S>
  Batch read(const key_numbers<S>& numbers) const {
    if constexpr (is_dual<Batch>)
      return Batch(detail::read_numbers<decltype(Batch::value)>(numbers, first));
    else
      return detail::read_numbers<Batch>(numbers, first);
  }

 private:
  static Batch from(index_t number) {
    if constexpr (requires { typename Batch::value_type; })
      return Batch(static_cast<typename Batch::value_type>(number));
    else
      return static_cast<Batch>(number);
  }
};

}  // namespace detail
LONGSPAN_NAMESPACE_END

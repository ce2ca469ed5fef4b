#pragma once

#include <longspan/core/index.hpp>

LONGSPAN_NAMESPACE_BEGIN
namespace detail {

// The keys under one batch of logits, as a transform sees them. Batch is the kind of number that its logits are made of: in float,
// positions are exact up to 2^24, distances wherever the distance is.
template <class Batch>
struct keys_under {
  index_t first = 0;  // position of the key under lane 0; the others follow it
  index_t query = 0;  // position of the query
  Batch lane{};       // 0, 1, 2 ...

  // j of each lane.
  Batch position() const { return lane + from(first); }
  // t = i - j of each lane: 0 for the query itself, negative for keys after it.
  Batch distance() const { return from(query - first) - lane; }

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

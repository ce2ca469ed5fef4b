#pragma once

#include <algorithm>
#include <limits>

#include <longspan/core/index.hpp>
#include <longspan/core/interval.hpp>
#include <longspan/core/query_row.hpp>
#include <longspan/core/require.hpp>
#include <longspan/mask/chunks.hpp>
#include <longspan/mechanism.hpp>
#include <longspan/method/position.hpp>
#include <longspan/method/unturned.hpp>
#include <longspan/position/mapped_rotation.hpp>
#include <longspan/position/rope.hpp>
#include <longspan/score/dot_product.hpp>

LONGSPAN_NAMESPACE_BEGIN
namespace detail {

// The keys of the chunk before the query's, and those of all chunks before that.
struct chunk_before {
  static constexpr bool by_position_alone = true;
  index_t size;
  interval operator()(const query_row& row) const {
    const index_t own = row.position < 0 ? 0 : row.position / size * size;
    return {std::max<index_t>(own - size, 0), own};
  }
};
struct chunks_before_that {
  static constexpr bool by_position_alone = true;
  index_t size;
  interval operator()(const query_row& row) const { return {0, chunk_before{size}(row).first}; }
};

}  // namespace detail

// Dual chunk attention (arXiv 2402.17463): causal attention over chunks of `chunk` tokens, for a model trained at `trained`; no rotation
// knows a distance of `trained` or more. The sum of, by the chunk of the key, c = chunk, m = trained:
//   the query's own    turned.at(i mod c, j mod c) | scored | chunks{c}
//   the one before     turned.at(min(i mod c + c, m - 1), j mod c)
//   all others         turned.at(m - 1, j mod c)
// `scored` is the score and what follows it up to the masks, `turned` the rotation. Keys are turned alike in all three: one cache keeps
// them. Throws std::invalid_argument for a chunk below 1 and a trained length that is not above it.
template <detail::unturned Scored = dot_product, rotation Rotation = rope>
auto dual_chunk(index_t chunk, index_t trained, const Scored& scored = {}, const Rotation& turned = {}) {
  detail::require(chunk >= 1, "dual_chunk: chunk", "at least 1", chunk);
  detail::require(trained > chunk, "dual_chunk: trained", "above the chunk", trained);
  constexpr index_t unbounded = std::numeric_limits<index_t>::max();
  const auto at = [&](index_t shift, index_t most) {
    return mapped_rotation{turned, detail::position_in_chunk{chunk, shift, most},
                           detail::position_in_chunk{chunk, 0, unbounded}} |
           scored;
  };
  return (at(0, unbounded) | chunks{chunk}) + (at(chunk, trained - 1) | detail::chunk_before{chunk}) +
         (at(trained - 1, trained - 1) | detail::chunks_before_that{chunk});
}

LONGSPAN_NAMESPACE_END

#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <longspan/core/device.hpp>
#include <longspan/core/shape_error.hpp>
#include <longspan/core/shapes.hpp>
#include <longspan/distributed/ranks.hpp>
#include <longspan/distributed/stripes.hpp>
#include <longspan/distributed/together.hpp>
#include <longspan/tensor/copy_tokens.hpp>
#include <longspan/tensor/view.hpp>
#include <longspan/tile/buffer.hpp>

LONGSPAN_NAMESPACE_BEGIN
namespace detail {

// Copies a rank's own tokens out of a tensor that has all.
template <class From, class To>
void scatter_rows(const ranks& all, const view<From>& whole, const view<To>& own) {
  const stripes share(whole.extent[2], all.count(), all.rank());
  for (std::size_t s = 0; s < share.count(); ++s)
    detail::copy_tokens(this_thread{}, detail::tokens_of(whole, share[s]), detail::tokens_of(own, share.own(s)));
}

// The extents of the tensor that the ranks' own make together. Throws shape_error on all where they are no rank's stripes of one.
inline std::array<index_t, 4> gathered_extent(const ranks& all, const std::array<index_t, 4>& own) {
  std::vector<std::array<index_t, 4>> each;
  together(all, [&] { each.resize(std::size_t(all.count())); });
  require_success(MPI_Allgather(&own, sizeof own, MPI_BYTE, each.data(), sizeof own, MPI_BYTE, all.communicator()),
                  "MPI_Allgather");
  std::array<index_t, 4> whole = each[0];
  constexpr const char* axes[] = {"batch", "heads", "tokens", "channels"};
  for (std::size_t rank = 1; rank < each.size(); ++rank) {
    for (const std::size_t axis : {0u, 1u, 3u})
      require_equal("rank 0", ("rank " + std::to_string(rank)).c_str(), axes[axis], whole[axis], each[rank][axis]);
    whole[2] += each[rank][2];
  }
  for (std::size_t rank = 0; rank < each.size(); ++rank)
    require_equal(("rank " + std::to_string(rank)).c_str(), "its stripes", "tokens", each[rank][2],
                  stripes(whole[2], all.count(), index_t(rank)).tokens());
  return whole;
}

// Puts the tokens of all ranks together, on every rank.
template <class From, class To>
void gather_rows(const ranks& all, const view<From>& own, const view<To>& whole) {
  const auto [batch, heads, tokens, channels] = whole.extent;
  buffer<To> memory;
  const index_t most = (tokens + 2 * all.count() - 1) / (2 * all.count()) * 2;  // of any rank
  const auto numbers = std::size_t(batch * heads * most * channels);
  detail::together(all, [&] { memory.resize(numbers); });
  for (index_t rank = 0; rank < all.count(); ++rank) {
    const stripes share(tokens, all.count(), rank);
    const auto rows = packed_view(memory.data(), batch, heads, share.tokens(), channels);
    if (rank == all.rank()) detail::copy_tokens(this_thread{}, own, rows);
    all.broadcast(memory.data(), rows.size() * index_t(sizeof(To)), rank);
    for (std::size_t s = 0; s < share.count(); ++s)
      detail::copy_tokens(this_thread{}, detail::tokens_of(rows, share.own(s)), detail::tokens_of(whole, share[s]));
  }
}

}  // namespace detail
LONGSPAN_NAMESPACE_END

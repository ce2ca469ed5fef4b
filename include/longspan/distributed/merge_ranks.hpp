#pragma once

#include <array>
#include <cstddef>
#include <string>
#include <vector>

#include <mpi.h>

#include <longspan/core/device.hpp>
#include <longspan/core/shape_error.hpp>
#include <longspan/core/shapes.hpp>
#include <longspan/distributed/ranks.hpp>
#include <longspan/distributed/stripes.hpp>
#include <longspan/distributed/together.hpp>
#include <longspan/softmax/merge.hpp>
#include <longspan/tensor/attended.hpp>
#include <longspan/tensor/copy_tokens.hpp>
#include <longspan/tensor/view.hpp>
#include <longspan/tile/buffer.hpp>

LONGSPAN_NAMESPACE_BEGIN
namespace detail {

// The tensors of all ranks, of one shape, one behind the other in `memory`, which has room for them.
template <class S>
void gather_all(const ranks& all, const view<const S>& own, buffer<S>& memory) {
  const auto [batch, heads, tokens, channels] = own.extent;
  S* const mine = memory.data() + all.rank() * own.size();
  detail::copy_tokens(this_thread{}, own, packed_view(mine, batch, heads, tokens, channels));
  MPI_Datatype row;
  require_success(MPI_Type_contiguous(int(channels * index_t(sizeof(S))), MPI_BYTE, &row), "MPI_Type_contiguous");
  require_success(MPI_Type_commit(&row), "MPI_Type_commit");
  const int code =
      MPI_Allgather(MPI_IN_PLACE, 0, MPI_DATATYPE_NULL, memory.data(), int(batch * heads * tokens), row, all.communicator());
  MPI_Type_free(&row);
  require_success(code, "MPI_Allgather");
}

// Throws shape_error on every rank where the parts of two differ, naming them.
template <class Part>
void require_one_shape(const ranks& all, const Part& part) {
  std::vector<std::array<index_t, 4>> each;
  detail::together(all, [&] {
    require_mergeable("part", part, "part", part);
    each.resize(std::size_t(all.count()));
  });
  const auto& own = part.output.extent;
  require_success(MPI_Allgather(&own, sizeof own, MPI_BYTE, each.data(), sizeof own, MPI_BYTE, all.communicator()),
                  "MPI_Allgather");
  constexpr const char* axes[] = {"batch", "heads", "tokens", "channels"};
  for (std::size_t rank = 1; rank < each.size(); ++rank)
    for (std::size_t axis = 0; axis < 4; ++axis)
      require_equal("rank 0", ("rank " + std::to_string(rank)).c_str(), axes[axis], each[0][axis], each[rank][axis]);
}

// The union of the parts of all ranks, in their order, on every rank: the same bits on all.
template <class Output, class LogSumExp>
auto merge_ranks(const ranks& all, const attended<Output, LogSumExp>& own) {
  using S = element_of<Output>;
  using T = compute_t<S>;
  const auto part = detail::view_part(own);
  detail::require_one_shape(all, part);
  const auto [batch, heads, tokens, channels] = part.output.extent;
  const shapes lengths{.batch = batch, .heads = heads, .queries = tokens, .value_channels = channels};
  auto whole = detail::make_together(all, [&] { return detail::make_attended<Output, S>(lengths); });
  buffer<S> outputs;
  buffer<T> sums;
  detail::together(all, [&] {
    outputs.resize(std::size_t(all.count() * part.output.size()));
    sums.resize(std::size_t(all.count() * part.log_sum_exp.size()));
  });
  detail::gather_all<S>(all, part.output, outputs);
  detail::gather_all<T>(all, part.log_sum_exp, sums);
  const auto merged = detail::view_part(whole);
  for (index_t rank = 0; rank < all.count(); ++rank) {
    const part_view<const S, const T> next{
        packed_view<const S>(outputs.data() + rank * part.output.size(), batch, heads, tokens, channels),
        packed_view<const T>(sums.data() + rank * part.log_sum_exp.size(), batch, heads, tokens, 1)};
    if (rank == 0)
      detail::copy_tokens(this_thread{}, next.output, merged.output),
          detail::copy_tokens(this_thread{}, next.log_sum_exp, merged.log_sum_exp);
    else
      detail::write_merged(this_thread{}, merged, merged, next);
  }
  return whole;
}

}  // namespace detail
LONGSPAN_NAMESPACE_END

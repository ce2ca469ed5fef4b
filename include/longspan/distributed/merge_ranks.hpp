#pragma once

#include <array>
#include <cstddef>
#include <optional>
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

// The parts of all ranks, of one shape, and their union in the order of the ranks, in the precision of the computation T.
template <class S, class T>
class parts_of_ranks {
 public:
  // Takes all the memory that it needs.
  parts_of_ranks(const ranks& all, const std::array<index_t, 4>& extent)
      : all_(all), extent_(extent), outputs_(numbers(extent[3])), sums_(numbers(1)), merged_(std::size_t(rows() * extent[3])) {}

  part_view<S, T> of(index_t rank) { return {packed(outputs_, rank, extent_[3]), packed(sums_, rank, 1)}; }
  // When every rank has written its own part.
  void exchange() {
    gather(outputs_, extent_[3]);
    gather(sums_, 1);
  }
  // Writes the union: the same bits on every rank.
  template <without_weights Hold, class Result>
  void merge(const part_view<Result, T>& result) {
    const part_view<T, T> both{packed(merged_, 0, extent_[3]), of(0).log_sum_exp};
    detail::copy_tokens(this_thread{}, of(0).output, both.output);
    for (index_t rank = 1; rank < all_.count(); ++rank) detail::write_merged<Hold>(this_thread{}, both, both, of(rank));
    detail::copy_tokens(this_thread{}, both.output, result.output);
    detail::copy_tokens(this_thread{}, both.log_sum_exp, result.log_sum_exp);
  }

 private:
  index_t rows() const { return extent_[0] * extent_[1] * extent_[2]; }
  std::size_t numbers(index_t channels) const { return std::size_t(all_.count() * rows() * channels); }
  template <class X>
  view<X> packed(buffer<X>& memory, index_t rank, index_t channels) {
    return packed_view(memory.data() + rank * rows() * channels, extent_[0], extent_[1], extent_[2], channels);
  }

  template <class X>
  void gather(buffer<X>& memory, index_t channels) {
    MPI_Datatype row;
    require_success(MPI_Type_contiguous(int(channels * index_t(sizeof(X))), MPI_BYTE, &row), "MPI_Type_contiguous");
    require_success(MPI_Type_commit(&row), "MPI_Type_commit");
    const int code = MPI_Allgather(MPI_IN_PLACE, 0, MPI_DATATYPE_NULL, memory.data(), int(rows()), row, all_.communicator());
    MPI_Type_free(&row);
    require_success(code, "MPI_Allgather");
  }

  const ranks& all_;
  std::array<index_t, 4> extent_;
  buffer<S> outputs_;
  buffer<T> sums_, merged_;
};

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

// The union of the parts of all ranks, in their order, on every rank.
template <class Output, class LogSumExp>
auto merge_ranks(const ranks& all, const attended<Output, LogSumExp>& own) {
  using S = element_of<Output>;
  const auto part = detail::view_part(own);
  detail::require_one_shape(all, part);
  const auto [batch, heads, tokens, channels] = part.output.extent;
  const shapes lengths{.batch = batch, .heads = heads, .queries = tokens, .value_channels = channels};
  std::optional<parts_of_ranks<S, compute_t<S>>> parts;
  auto whole = detail::make_together(all, [&] {
    parts.emplace(all, part.output.extent);
    return detail::make_attended<Output, S>(lengths);
  });
  const auto place = parts->of(all.rank());
  detail::copy_tokens(this_thread{}, part.output, place.output);
  detail::copy_tokens(this_thread{}, part.log_sum_exp, place.log_sum_exp);
  parts->exchange();
  parts->template merge<without_weights::anything>(detail::view_part(whole));
  return whole;
}

}  // namespace detail
LONGSPAN_NAMESPACE_END

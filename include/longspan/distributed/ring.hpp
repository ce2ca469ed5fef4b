#pragma once

#include <array>
#include <concepts>
#include <cstddef>
#include <vector>

#include <mpi.h>

#include <longspan/core/device.hpp>
#include <longspan/core/interval.hpp>
#include <longspan/core/shapes.hpp>
#include <longspan/distributed/backward.hpp>  // backward, backward_with_parameters and both into memory of the caller's
#include <longspan/distributed/forward.hpp>   // forward, forward_into
#include <longspan/distributed/merge_ranks.hpp>
#include <longspan/distributed/ranks.hpp>
#include <longspan/distributed/scatter_rows.hpp>
#include <longspan/distributed/stripes.hpp>
#include <longspan/distributed/together.hpp>
#include <longspan/tensor/attended.hpp>
#include <longspan/tensor/eigen.hpp>
#include <longspan/tensor/traits.hpp>

LONGSPAN_NAMESPACE_BEGIN

// Texts longer than one machine, over the ranks of an MPI communicator. A ring stands where a device stands, and every rank makes the call
// with its own queries, keys and values (Ring Attention, arXiv 2310.01889):
//
//   const ring over(MPI_COMM_WORLD);                 // on the calling thread; ring over(communicator, device) on a device
//   const auto own_q = over.scatter(q), ...          // or each rank makes its own rows
//   const auto part = forward(over, mechanism, own_q, own_k, own_v);
//   const auto d_part = backward(over, mechanism, own_q, own_k, own_v, part, d_part_output);
//
// Of tokens along an axis rank r of R has stripes r and 2 R - 1 - r of 2 R (stripe s of n tokens begins at n s / 2 R), the early one first,
// so that causal work is the same on all. Every sentence and sum, placement and gradient is allowed; results are those of one call with all
// rows, within rounding, and to the bit where there is one rank. A placement is that of the whole call, its starts and lengths count the
// tokens of all ranks. So do the key axes of tensors that parts of a mechanism read (bias, boolean_mask, positions, forgetting); their
// query axes count the rank's own rows. Gradients of tensors that all queries share, whose query axis has extent 1 on every rank, and of
// learned numbers, are summed over the ranks.
//
// A rank keeps its own rows, and of keys and values two ranks' parts: one that it works on, and one on its way. What its rows do not see is
// not sent. The thread that makes the call moves transfers on, after every tile that it takes: MPI_Init is enough.
//
//   const auto next = forward(over, mechanism, q, cache);   // decoding: caches of all ranks hold the keys, see distributed/forward.hpp
//
// What a rank throws, all throw, and none waits for another: shapes that do not fit each other, and whatever a rank met while it worked.
// Failures of MPI itself are std::runtime_error. Ranks run the same program on the same kind of processor, and make the same calls in the
// same order: a ring is used by one thread at a time, and threads that call at the same time, each over a ring of its own, need
// MPI_THREAD_MULTIPLE.
template <device D = detail::this_thread>
class ring {
 public:
  using begins_calls = ring;

  // Duplicates the communicator: every rank makes its ring at the same time. Throws std::invalid_argument for MPI_COMM_NULL and for a
  // communicator between two groups, std::runtime_error where MPI is not initialised.
  explicit ring(MPI_Comm communicator)
    requires std::same_as<D, detail::this_thread>
      : ring(communicator, alone) {}
  ring(MPI_Comm communicator, const D& device) : ranks_(communicator), device_(&device) {}
  ring(MPI_Comm communicator, const D&& device) = delete;  // which must live as long as the ring

  index_t rank() const { return ranks_.rank(); }
  index_t ranks() const { return ranks_.count(); }
  // Of keys, values and their gradients, by all calls of this rank.
  index_t bytes_sent() const { return ranks_.bytes_sent(); }

  // Where the rank's own tokens are among so many: its stripes, two at most, in the order of its rows.
  std::vector<interval> own(index_t tokens) const {
    const detail::stripes share(tokens, ranks(), rank());
    std::vector<interval> all;
    for (std::size_t s = 0; s < share.count(); ++s) all.push_back(share[s]);
    return all;
  }

  // The rank's own tokens of a tensor that every rank has, without asking the others: of (batch, head, token, channel), or what forward
  // made.
  template <class X>
  auto scatter(const X& whole) const {
    const auto from = detail::view_of(whole);
    auto own = make<X>(from.extent, detail::stripes(from.extent[2], ranks(), rank()).tokens());
    detail::scatter_rows(ranks_, from, detail::view_of(own));
    return own;
  }
  template <class Output, class LogSumExp>
  auto scatter(const attended<Output, LogSumExp>& whole) const {
    const auto from = detail::view_of(whole.output);
    auto own = make_attended<Output>(from.extent, detail::stripes(from.extent[2], ranks(), rank()).tokens());
    detail::scatter_rows(ranks_, from, detail::view_of(own.output));
    detail::scatter_rows(ranks_, sums_of(whole), sums_of(own));
    return own;
  }

  // All tokens, on every rank, of tensors of which every rank has its own. Throws shape_error where they are not the ranks' stripes.
  template <class X>
  auto gather(const X& own) const {
    const auto extent = detail::gathered_extent(ranks_, detail::view_of(own).extent);
    auto whole = detail::make_together(ranks_, [&] { return make<X>(extent, extent[2]); });
    detail::gather_rows(ranks_, detail::view_of(own), detail::view_of(whole));
    return whole;
  }
  template <class Output, class LogSumExp>
  auto gather(const attended<Output, LogSumExp>& own) const {
    const auto extent = detail::gathered_extent(ranks_, detail::view_of(own.output).extent);
    auto whole = detail::make_together(ranks_, [&] { return make_attended<Output>(extent, extent[2]); });
    detail::gather_rows(ranks_, detail::view_of(own.output), detail::view_of(whole.output));
    detail::gather_rows(ranks_, sums_of(own), sums_of(whole));
    return whole;
  }

  // Attention to the keys of all ranks, on every rank, from what each made of its own keys for the same queries: parts, as merge puts them
  // together, in the order of the ranks, whatever the keys lie in:
  //   over.merge(forward(mechanism, q, own_k, own_v, {.first_query = ..., .first_key = ..., .all_keys = ...}))
  // Throws shape_error where the parts of two ranks differ in shape.
  template <class Output, class LogSumExp>
  [[nodiscard]] auto merge(const attended<Output, LogSumExp>& part) const {
    return detail::merge_ranks(ranks_, part);
  }

  // For the doors.
  const detail::ranks& inside() const { return ranks_; }
  const D& device() const { return *device_; }

 private:
  static shapes of(const std::array<index_t, 4>& extent, index_t tokens) {
    return {.batch = extent[0], .heads = extent[1], .queries = tokens, .value_channels = extent[3]};
  }
  template <class X>
  static auto make(const std::array<index_t, 4>& extent, index_t tokens) {
    return detail::traits_of<X>::template make_output<detail::element_of<X>>(of(extent, tokens));
  }
  template <class X>
  static auto make_attended(const std::array<index_t, 4>& extent, index_t tokens) {
    return detail::make_attended<X, detail::element_of<X>>(of(extent, tokens));
  }
  static auto sums_of(auto& kept) { return detail::traits_of<decltype(kept.log_sum_exp)>::log_sum_exp_of(kept.log_sum_exp); }

  static constexpr detail::this_thread alone{};
  detail::ranks ranks_;
  const D* device_;
};
ring(MPI_Comm) -> ring<detail::this_thread>;
template <device D>
ring(MPI_Comm, const D&) -> ring<D>;

LONGSPAN_NAMESPACE_END

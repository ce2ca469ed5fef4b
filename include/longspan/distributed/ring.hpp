#pragma once

#include <cstddef>
#include <optional>
#include <type_traits>
#include <utility>

#include <mpi.h>

#include <longspan/core/device.hpp>
#include <longspan/distributed/ranks.hpp>
#include <longspan/distributed/ring_call.hpp>
#include <longspan/distributed/ring_forward.hpp>
#include <longspan/distributed/stripes.hpp>
#include <longspan/distributed/together.hpp>
#include <longspan/forward.hpp>
#include <longspan/mechanism.hpp>
#include <longspan/tensor/attended.hpp>
#include <longspan/tensor/eigen.hpp>
#include <longspan/tensor/forward_tensors.hpp>
#include <longspan/tensor/placement.hpp>

LONGSPAN_NAMESPACE_BEGIN

// Texts longer than one machine: stands where a device stands, `forward(ring{MPI_COMM_WORLD}, mechanism, q, k, v)`, and every rank of the
// communicator makes the call with its own rows of q, k and v.
template <device D = detail::this_thread>
class ring {
 public:
  explicit ring(MPI_Comm communicator)
    requires std::is_same_v<D, detail::this_thread>
      : ring(communicator, alone) {}
  ring(MPI_Comm communicator, const D& device) : ranks_(communicator), device_(&device) {}

  index_t rank() const { return ranks_.rank(); }
  index_t size() const { return ranks_.count(); }

  template <class X>
  auto scatter(const X& whole) const {
    const auto all = detail::view_of(whole);
    const auto [batch, heads, tokens, channels] = all.extent;
    const detail::stripes share(tokens, size(), rank());
    auto own = detail::traits_of<X>::template make_output<detail::element_of<X>>(
        {.batch = batch, .heads = heads, .queries = share.tokens(), .value_channels = channels});
    for (std::size_t s = 0; s < share.count(); ++s)
      detail::copy_tokens(detail::rows_of(all, share[s]), detail::rows_of(detail::view_of(own), share.own(s)));
    return own;
  }

  const detail::ranks& inside() const { return ranks_; }
  const D& device() const { return *device_; }

 private:
  static constexpr detail::this_thread alone{};
  detail::ranks ranks_;
  const D* device_;
};
ring(MPI_Comm) -> ring<detail::this_thread>;
template <device D>
ring(MPI_Comm, const D&) -> ring<D>;

template <class D, class... Parts, class Q, class K, class V>
auto forward(const ring<D>& over, const mechanism<Parts...>& whole, const Q& q, const K& k, const V& v, const placement& where = {}) {
  const detail::ring_call call(over.inside(), whole, detail::view_of(q), detail::view_of(k), detail::view_of(v), where);
  using Result = decltype(detail::make_attended<Q, detail::element_of<Q>>(call.lengths));
  std::optional<Result> result;
  detail::together(over.inside(), [&] { result.emplace(detail::make_attended<Q, detail::element_of<Q>>(call.lengths)); });
  const auto sums = detail::traits_of<decltype(result->log_sum_exp)>::log_sum_exp_of(result->log_sum_exp);
  detail::run_ring_forward(over.inside(), over.device(), whole, call, detail::make_forward_tensors(q, k, v, result->output, sums));
  return *std::move(result);
}

LONGSPAN_NAMESPACE_END

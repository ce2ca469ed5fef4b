#pragma once

#include <cstddef>
#include <optional>
#include <span>

#include <longspan/cache/forward.hpp>
#include <longspan/core/device.hpp>
#include <longspan/distributed/cache_call.hpp>
#include <longspan/distributed/merge_ranks.hpp>
#include <longspan/distributed/ranks.hpp>
#include <longspan/distributed/together.hpp>
#include <longspan/mechanism.hpp>
#include <longspan/mechanism/wrong_call.hpp>
#include <longspan/softmax/merge.hpp>
#include <longspan/tensor/attended.hpp>
#include <longspan/tensor/copy_tokens.hpp>
#include <longspan/tensor/placement.hpp>
#include <longspan/tensor/traits.hpp>
#include <longspan/tensor/view.hpp>
#include <longspan/tile/buffer.hpp>

LONGSPAN_NAMESPACE_BEGIN
namespace detail {

// Queries attend to what a rank's own caches hold.
template <device D, class... Parts, class Q, kept Kept, class Part>
void attend_own_caches(const D& d, const mechanism<Parts...>& whole, const view<Q>& q, std::span<const Kept> caches,
                       const cache_call& call, const Part& part) {
  using T = typename Part::compute;
  const auto attend = [&](std::size_t c, const part_view<T, T>& to) {
    detail::run_over(d, whole, caches[c], detail::make_tensors_over(caches[c], q, to.output, to.log_sum_exp), call.of_caches[c]);
  };
  attend(0, part);
  if (caches.size() == 1) return;
  const auto [batch, heads, tokens, channels] = call.results;
  buffer<T> output(std::size_t(part.output.size())), sums(std::size_t(part.log_sum_exp.size()));
  const part_view<T, T> next{packed_view(output.data(), batch, heads, tokens, channels),
                             packed_view(sums.data(), batch, heads, tokens, 1)};
  for (std::size_t c = 1; c < caches.size(); ++c) {
    attend(c, next);
    detail::write_merged(d, part, part, next);
  }
}

// Of queries that rank 0 hands to all.
template <begins_calls Ring, class... Parts, class Q, kept Kept>
auto forward_over_caches(const Ring& over, const mechanism<Parts...>& whole, const Q& q, std::span<const Kept> caches,
                         const placement& where) {
  using T = compute_t<element_of<Q>>;
  const ranks& all = over.inside();
  const view<const element_of<Q>> given = detail::view_of(q);
  const cache_call call(all, whole, given, caches, where);
  buffer<element_of<Q>> queries;
  std::optional<parts_of_ranks<T, T>> parts;
  auto result = make_together(all, [&] {
    queries.resize(std::size_t(given.size()));
    parts.emplace(all, call.results);
    return detail::make_attended<Q, element_of<Q>>(call.of_caches.front().lengths);
  });
  const auto packed = packed_view(queries.data(), given.extent[0], given.extent[1], given.extent[2], given.extent[3]);
  if (all.rank() == 0) detail::copy_tokens(this_thread{}, given, packed);
  all.broadcast(queries.data(), given.size() * index_t(sizeof(element_of<Q>)), 0);
  together(all, [&] { detail::attend_own_caches(over.device(), whole, packed, caches, call, parts->of(all.rank())); });
  parts->exchange();
  parts->template merge<without_weights::own>(detail::view_part(result));
  return result;
}

}  // namespace detail
LONGSPAN_NAMESPACE_END

#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <type_traits>
#include <utility>

#include <longspan/cache/cache_shape.hpp>
#include <longspan/cache/summand_of_keys.hpp>
#include <longspan/cache/texts_of_kept.hpp>
#include <longspan/core/device.hpp>
#include <longspan/core/token.hpp>
#include <longspan/kernel/attend_summands.hpp>
#include <longspan/kernel/attend_texts.hpp>
#include <longspan/mechanism/bind_summands.hpp>
#include <longspan/simd/words.hpp>
#include <longspan/tensor/forward_tensors.hpp>
#include <longspan/tensor/paged.hpp>
#include <longspan/tensor/traits.hpp>
#include <longspan/tile/buffer.hpp>

LONGSPAN_NAMESPACE_BEGIN
namespace detail {

// The forward pass over pages of an engine's own, as the doors (cache/forward.hpp) call it: that over tensors, where rows of keys and
// values are found by the table.

template <class Pages>
  requires is_paged<Pages>
inline constexpr bool is_cache<Pages> = true;

template <class Pages>
concept pages_of_an_engine = is_paged<Pages>;

// A sentence bound to a text whose keys need no preparation any more.
template <class Bound>
struct bound_to_prepared : Bound {
  static constexpr bool keeps_keys = true;
  template <class T>
  void key(std::span<T>, const token&) const {}
};

template <pages_of_an_engine Pages, class Q>
texts_of_kept texts_of(const Pages& of, const view<Q>& q, const placement& where) {
  const auto& pages = detail::pages_in(of);
  detail::require_pages(pages);
  const cache_shape shape{pages.keys.extent[1], pages.keys.extent[3], pages.values.extent[3], index_t(pages.lengths.size())};
  return {q, shape, [&](index_t t) { return pages.lengths[std::size_t(t)]; }, where};
}

template <pages_of_an_engine Pages, class... Parts>
void require_kept_for(const Pages&, const mechanism<Parts...>&) {
  static_assert(!(skips<Parts> || ...), "skip_negligible reads keys from tensors, not from pages");
}

template <class S>
paged_view<const S> view_of_pages(const view<const S>& pool, std::span<const std::int32_t> table, std::size_t texts) {
  return {pool, table, texts == 0 ? 0 : index_t(table.size() / texts), 0};
}

template <pages_of_an_engine Pages, class Q, class Output, class T>
auto make_tensors_over(const Pages& of, const Q& q, Output& output, const view<T>& log_sum_exp) {
  const auto& pages = detail::pages_in(of);
  using S = element_of<Q>;
  using K = std::remove_const_t<std::remove_pointer_t<decltype(pages.keys.data)>>;
  using V = std::remove_const_t<std::remove_pointer_t<decltype(pages.values.data)>>;
  static_assert(hold_numbers<Q, Output>() && are_numbers<K, V>() && are_writable<Output>());
  static_assert(
      std::is_same_v<T, compute_t<K>> && std::is_same_v<T, compute_t<V>> && std::is_same_v<T, compute_t<element_of<Output>>>,
      "double does not mix with narrower numbers: queries, pages and output compute in one precision");
  const std::size_t texts = pages.lengths.size();
  return forward_tensors<common_words<S, K, V>, view<const S>, paged_view<const K>, paged_view<const V>,
                         view<element_of<Output>>>{detail::view_of(q), detail::view_of_pages(pages.keys, pages.table, texts),
                                                   detail::view_of_pages(pages.values, pages.table, texts),
                                                   detail::view_of(output), log_sum_exp};
}

// What is bound to texts whose keys are prepared, where those of the pages are.
template <class Pages, class Bound>
auto bound_to_pages(buffer<Bound> texts) {
  if constexpr (requires(const Pages& of) { of.pages; }) {
    buffer<bound_to_prepared<Bound>> each;
    for (auto& one : texts) each.push_back({std::move(one)});
    return each;
  } else {
    return texts;
  }
}

template <device D, pages_of_an_engine Pages, class... Parts, class Tensors>
void run_over_pages(const D& d, const mechanism<Parts...>& whole, const Pages&, const Tensors& tensors,
                    const texts_of_kept& batch) {
  using Words = typename Tensors::words;
  using T = typename Words::compute;
  constexpr bool prepared = requires(const Pages& of) { of.pages; };
  const buffer<text>& texts = batch.texts;
  if constexpr (prepared) detail::summand_of_keys(whole, batch.lengths);
  auto bound = detail::bind_for_kernel<T>(whole, batch.lengths, texts, prepared ? batch.of_queries() : texts,
                                          tile_keys<Words>(batch.lengths));
  if (batch.lengths.heads == 0) return;
  if constexpr (is_sum<Parts...>)
    detail::attend_summands(d, std::move(bound), tensors, texts,
                            [](auto, auto summand, const auto&) { return detail::bound_to_pages<Pages>(std::move(summand)); });
  else
    detail::attend_texts(d, detail::bound_to_pages<Pages>(std::move(bound)), tensors, texts);
}

}  // namespace detail
LONGSPAN_NAMESPACE_END

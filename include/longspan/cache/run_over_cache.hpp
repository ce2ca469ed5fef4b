#pragma once

#include <algorithm>
#include <cstddef>
#include <string>
#include <tuple>
#include <type_traits>
#include <typeinfo>
#include <utility>

#include <longspan/cache/cached_tensors.hpp>
#include <longspan/cache/kv_cache.hpp>
#include <longspan/cache/summand_of_keys.hpp>
#include <longspan/cache/texts_of_kept.hpp>
#include <longspan/core/device.hpp>
#include <longspan/core/shape_error.hpp>
#include <longspan/kernel/attend_summands.hpp>
#include <longspan/kernel/attend_texts.hpp>
#include <longspan/mechanism/bind.hpp>
#include <longspan/mechanism/bind_summands.hpp>
#include <longspan/position/angle_table.hpp>
#include <longspan/tensor/traits.hpp>

LONGSPAN_NAMESPACE_BEGIN
namespace detail {

// The forward pass over a kv_cache, as the doors (cache/forward.hpp) call it.

template <class Storage, class Q>
texts_of_kept texts_of(const kv_cache<Storage>& cache, const view<Q>& q, const placement& where) {
  const auto& pages = cache.inside().of_pages;
  const cache_shape shape{pages.key_heads, pages.channels, pages.value_channels, cache.texts(), pages.first_key};
  return {q, shape, [&](index_t t) { return cache.length(t); }, where};
}

// Keys are turned as by the first summand of a sum; queries by each summand's own.
template <class Storage, class... Parts>
void require_kept_for(const kv_cache<Storage>& cache, const mechanism<Parts...>& whole) {
  static_assert(!(skips<Parts> || ...), "skip_negligible reads keys from tensors, not from a cache");
  const auto& first = detail::summand_of_keys(whole, {.channels = cache.inside().of_pages.channels});
  const std::pair parts{detail::pick<place::rows>(first, unchanged), std::get<0>(detail::pick<place::score>(first, unchanged))};
  if (!cache.inside().rows.same_as(typeid(parts), &parts))
    throw shape_error("kv_cache: the cache was made for other row parts or another score than the mechanism's");
}

// Throws shape_error where a row sees keys whose page was given back.
template <class Storage, class Seen>
void require_held(const kv_cache<Storage>& cache, const texts_of_kept& batch, const Seen& seen) {
  constexpr index_t page_keys = page_layout<Storage>::keys;
  for (std::size_t t = 0; t < batch.texts.size(); ++t)
    for (index_t h = 0; h < batch.lengths.key_heads; ++h)
      for (interval some{0, 0}; some.first < batch.texts[t].keys.last; some.first = some.last) {
        some.last = std::min(some.first + page_keys, batch.texts[t].keys.last);
        const interval needed = seen[t]->needed(h, some);
        if (!needed.empty() && !cache.inside().texts[t].holds(needed))
          throw shape_error("kv_cache: a row of text " + std::to_string(t) + " sees key " + std::to_string(needed.first) +
                            ", which was given back");
      }
}

template <class Storage, class Q, class Output, class T>
auto make_tensors_over(const kv_cache<Storage>& cache, const Q& q, Output& output, const view<T>& log_sum_exp) {
  static_assert(hold_numbers<Q, Output>() && are_writable<Output>());
  static_assert(std::is_same_v<compute_t<element_of<Q>>, typename cache_storage<Storage>::compute>,
                "double does not mix with narrower numbers: queries and the cache compute in one precision");
  return cached_tensors<Storage, element_of<Q>, element_of<Output>>{detail::view_of(q), detail::view_of(output), log_sum_exp,
                                                                    &cache.inside().of_pages, cache.inside().texts.data()};
}

// A sentence for each text over a cache, of its row parts and of what its rows see.
template <class T, class Storage, class... Parts, class Rows, class Seen>
auto bind_over_cache(const mechanism<Parts...>& whole, const kv_cache<Storage>& cache, const texts_of_kept& batch,
                     index_t padding, const Rows& rows, const Seen& seen) {
  detail::require_held(cache, batch, seen);
  const reach distances = detail::distances_of(seen, padding, [](const auto& each) { return *each; });
  const auto transforms = detail::bind_transforms(whole, batch.lengths, [&]<class P>(const P& part) {
    if constexpr (tabulated<P, T>)
      return cache.inside().tables.template of<T>(part, distances);
    else
      return part;
  });
  return detail::assemble(whole, batch.lengths, batch.texts, rows, seen, transforms);
}

template <device D, class Storage, class... Parts, class Tensors>
void run_over_cache(const D& d, const mechanism<Parts...>& whole, const kv_cache<Storage>& cache, const Tensors& tensors,
                    const texts_of_kept& batch) {
  using Words = typename Tensors::words;
  using T = typename Words::compute;
  const auto& [lengths, texts] = batch;
  const buffer<text> queries = batch.of_queries();
  const auto check = [&](const auto& sentence) {
    detail::check_parts<place::score, place::sink>(sentence, batch.lengths, batch.texts);
  };
  const auto check_rows = [&](const auto& summand) {  // those of a sentence are the cache's, which asks them
    detail::check_parts<place::rows, place::rows>(summand, batch.lengths, queries);
  };
  const index_t padding = tile_keys<Words>(batch.lengths);
  if constexpr (is_sum<Parts...>) {
    std::apply([&](const Parts&... each) { (check(each), ...), (check_rows(each), ...); }, whole.parts);
    angle_tables<T> tables(queries);
    auto bound = detail::bind_summands(whole, lengths, texts, [&](const auto& summand, const auto& seen) {
      const auto rows = detail::bind_rows<T>(summand, batch.lengths, queries, tables);
      return detail::bind_over_cache<T>(summand, cache, batch, padding, rows, seen);
    });
    if (lengths.heads != 0) detail::attend_summands(d, std::move(bound), tensors, texts, as_bound);
  } else {
    check(whole);
    const std::tuple rows{rows_of_cache<T>{&cache.inside().rows}};
    auto bound = detail::bind_over_cache<T>(whole, cache, batch, padding, rows, detail::see(whole, lengths, texts));
    cache.inside().rows.reach(queries);
    if (lengths.heads != 0) detail::attend_texts(d, std::move(bound), tensors, texts);
  }
}

}  // namespace detail
LONGSPAN_NAMESPACE_END

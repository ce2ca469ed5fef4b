#pragma once

#include <concepts>
#include <span>
#include <string>
#include <tuple>
#include <type_traits>
#include <typeinfo>
#include <utility>

#include <longspan/cache/cached_tensors.hpp>
#include <longspan/cache/kv_cache.hpp>
#include <longspan/core/device.hpp>
#include <longspan/core/shape_error.hpp>
#include <longspan/kernel/attend_texts.hpp>
#include <longspan/mechanism/batch_of_texts.hpp>
#include <longspan/mechanism/bind.hpp>
#include <longspan/mechanism/takers.hpp>
#include <longspan/tensor/aliasing.hpp>
#include <longspan/tensor/attended.hpp>
#include <longspan/tensor/checked.hpp>
#include <longspan/tensor/eigen.hpp>
#include <longspan/tensor/placement.hpp>
#include <longspan/tensor/traits.hpp>

LONGSPAN_NAMESPACE_BEGIN

// The doors of the forward pass over a cache.

namespace detail {

// The lengths of a call with queries over a cache, and its texts: the queries are the last tokens of theirs unless `where` says otherwise.
struct texts_of_cache {
  shapes lengths;
  buffer<text> texts;

  template <class Storage, class Q>
  texts_of_cache(const kv_cache<Storage>& cache, const view<Q>& q, const placement& where) {
    const auto& pages = cache.inside().of_pages;
    if (where.key_lengths || where.key_starts || where.query_starts || where.first_key != 0)
      throw shape_error(
          "placement: a cache knows its keys: of a call over one, first_query, query_lengths and all_keys may be said");
    require_memory("query", q);
    require_equal("query", "cache", "texts", q.extent[0], cache.texts());
    require_equal("query", "cache", "channels", q.extent[3], pages.channels);
    if (q.extent[1] % pages.key_heads != 0)
      throw shape_error("query heads must be a multiple of key heads: " + std::to_string(q.extent[1]) + " and " +
                        std::to_string(pages.key_heads));
    require_lengths("query_lengths", where.query_lengths, q.extent[0], q.extent[2]);
    if (where.first_query) require_position("first_query", *where.first_query);
    lengths = {.batch = q.extent[0],
               .heads = q.extent[1],
               .key_heads = pages.key_heads,
               .queries = q.extent[2],
               .channels = pages.channels,
               .value_channels = pages.value_channels};
    for (index_t t = 0; t < cache.texts(); ++t) {
      const index_t keys = cache.length(t),
                    queries = where.query_lengths ? (*where.query_lengths)[std::size_t(t)] : lengths.queries;
      const index_t all = all_keys_of(pages.first_key + keys, where);
      texts.push_back({t, t, {0, queries}, {0, keys}, where.first_query.value_or(all - queries), pages.first_key, all});
      lengths.keys = std::max(lengths.keys, keys);
    }
    lengths.first_key = pages.first_key;
    lengths.all_keys = where.all_keys.value_or(lengths.first_key + lengths.keys);
    lengths.first_query = where.first_query.value_or(lengths.all_keys - lengths.queries);
  }

 private:
  // Of a text whose keys in the cache end at a place: these are all there are unless the call says otherwise.
  static index_t all_keys_of(index_t end, const placement& where) {
    if (!where.all_keys) return end;
    require_position("all_keys", *where.all_keys);
    if (end > *where.all_keys)
      throw shape_error("placement: keys end beyond all keys: " + std::to_string(end) + " and " +
                        std::to_string(*where.all_keys));
    return *where.all_keys;
  }
};

template <class Storage, class... Parts>
void require_rows_of(const kv_cache<Storage>& cache, const mechanism<Parts...>& whole) {
  static_assert(!(is_skipping<Parts> || ...), "skip_negligible reads keys from tensors, not from a cache");
  const std::pair parts{detail::pick<place::rows>(whole, unchanged), std::get<0>(detail::pick<place::score>(whole, unchanged))};
  if (!cache.inside().rows.same_as(typeid(parts), &parts))
    throw shape_error("kv_cache: the cache was made for other row parts or another score than the mechanism's");
}

// Throws shape_error where a row sees keys whose page was given back.
template <class Storage, class Seen>
void require_held(const kv_cache<Storage>& cache, const texts_of_cache& batch, const Seen& seen) {
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

template <device D, class Storage, class... Parts, class Tensors>
void run_over_cache(const D& d, const mechanism<Parts...>& whole, const kv_cache<Storage>& cache, const Tensors& tensors,
                    const texts_of_cache& batch) {
  using Words = typename Tensors::words;
  using T = typename Words::compute;
  const auto& [lengths, texts] = batch;
  const index_t padding = tile_keys<Words>(lengths);
  detail::pick<place::score, place::sink>(whole, [&](const auto& part) {  // rows were checked when the cache was made
    return detail::check_part(part, batch.lengths, batch.texts), true;
  });
  const auto seen = detail::see(whole, lengths, texts);
  detail::require_held(cache, batch, seen);
  buffer<text> of_queries(texts);
  for (text& each : of_queries) each.keys = {};
  cache.inside().rows.reach(of_queries);
  const reach distances = detail::distances_of(seen, padding, [](const auto& each) { return *each; });
  const auto transforms = detail::bind_transforms(whole, lengths, [&]<class P>(const P& part) {
    if constexpr (tabulated<P, T>)
      return cache.inside().tables.template of<T>(part, distances);
    else
      return part;
  });
  auto bound = detail::assemble(whole, lengths, texts, std::tuple{rows_of_cache<T>{&cache.inside().rows}}, seen, transforms);
  if (lengths.heads == 0) return;
  detail::attend_texts(d, std::move(bound), tensors, texts);
}

template <class Storage, class Q, class Output, class T>
auto make_cached_tensors(const kv_cache<Storage>& cache, const Q& q, Output& output, const view<T>& log_sum_exp) {
  static_assert(hold_numbers<Q, Output>() && are_writable<Output>());
  static_assert(std::is_same_v<compute_t<element_of<Q>>, typename cache_storage<Storage>::compute>,
                "double does not mix with narrower numbers: queries and the cache compute in one precision");
  return cached_tensors<Storage, element_of<Q>, element_of<Output>>{detail::view_of(q), detail::view_of(output), log_sum_exp,
                                                                    &cache.inside().of_pages, cache.inside().texts.data()};
}

template <device D, class Storage, class... Parts, class Tensors>
void checked_over_cache(const D& d, const mechanism<Parts...>& whole, const kv_cache<Storage>& cache, const Tensors& tensors,
                        const placement& where) {
  detail::require_rows_of(cache, whole);
  const texts_of_cache batch(cache, tensors.query, where);
  require_results(batch.lengths, "output", tensors.output, batch.lengths.value_channels);
  if (tensors.keeps_log_sum_exp()) require_sums(batch.lengths, "log_sum_exp", tensors.log_sum_exp);
  require_unaliased(tensors);
  require_apart_from_parts(whole, "output", tensors.output);
  require_apart_from_parts(whole, "log_sum_exp", tensors.log_sum_exp);
  detail::run_over_cache(d, whole, cache, tensors, batch);
}

}  // namespace detail

// Fused attention of queries q (text, head, query, channel) to the keys of a cache, into memory of the caller's: see forward_into and
// kv_cache. Throws shape_error where queries, results or row parts are not those of the cache, and where a row sees what was given back.
template <device D, class... Parts, class Q, class Storage, class Output, class LogSumExp>
  requires(!std::same_as<std::remove_cvref_t<LogSumExp>, placement>)
void forward_into(const D& d, const mechanism<Parts...>& whole, const Q& q, const kv_cache<Storage>& cache, Output&& output,
                  LogSumExp&& log_sum_exp, const placement& where = {}) {
  const auto sums = detail::traits_of<LogSumExp>::log_sum_exp_of(log_sum_exp);
  static_assert(detail::are_sums_of<Q, std::remove_const_t<decltype(sums)>>());
  detail::checked_over_cache(d, whole, cache, detail::make_cached_tensors(cache, q, output, sums), where);
}
template <device D, class... Parts, class Q, class Storage, class Output>
void forward_into(const D& d, const mechanism<Parts...>& whole, const Q& q, const kv_cache<Storage>& cache, Output&& output,
                  const placement& where = {}) {
  using T = detail::compute_t<detail::element_of<Q>>;
  detail::checked_over_cache(d, whole, cache, detail::make_cached_tensors(cache, q, output, view<T>{}), where);
}

// The same into new results: attended{output, log_sum_exp} of the rank and storage order of q.
template <device D, class... Parts, class Q, class Storage>
auto forward(const D& d, const mechanism<Parts...>& whole, const Q& q, const kv_cache<Storage>& cache,
             const placement& where = {}) {
  detail::require_rows_of(cache, whole);
  const detail::texts_of_cache batch(cache, detail::view_of(q), where);
  auto result = detail::make_attended<Q, detail::element_of<Q>>(batch.lengths);
  const auto sums = detail::traits_of<decltype(result.log_sum_exp)>::log_sum_exp_of(result.log_sum_exp);
  detail::run_over_cache(d, whole, cache, detail::make_cached_tensors(cache, q, result.output, sums), batch);
  return result;
}

// Without a device, on the calling thread.
template <class... Parts, class Q, class Storage>
auto forward(const mechanism<Parts...>& whole, const Q& q, const kv_cache<Storage>& cache, const placement& where = {}) {
  return longspan::forward(Eigen::DefaultDevice{}, whole, q, cache, where);
}
template <class... Parts, class Q, class Storage, class... Results>
void forward_into(const mechanism<Parts...>& whole, const Q& q, const kv_cache<Storage>& cache, Results&&... results) {
  longspan::forward_into(Eigen::DefaultDevice{}, whole, q, cache, std::forward<Results>(results)...);
}

LONGSPAN_NAMESPACE_END

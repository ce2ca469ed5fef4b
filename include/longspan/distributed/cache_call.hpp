#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <mpi.h>

#include <longspan/cache/forward.hpp>
#include <longspan/cache/texts_of_kept.hpp>
#include <longspan/core/interval.hpp>
#include <longspan/core/shape_error.hpp>
#include <longspan/core/text.hpp>
#include <longspan/distributed/alike.hpp>
#include <longspan/distributed/ranks.hpp>
#include <longspan/distributed/together.hpp>
#include <longspan/mechanism.hpp>
#include <longspan/mechanism/prepare.hpp>
#include <longspan/tensor/placement.hpp>
#include <longspan/tensor/view.hpp>

LONGSPAN_NAMESPACE_BEGIN
namespace detail {

// A call of the same queries on every rank over the keys of all ranks' caches: together these hold every key of each text once.
struct cache_call {
  std::vector<texts_of_kept> of_caches;  // the texts as the rank's own caches hold them, a cache after the other
  std::array<index_t, 4> results{};      // the extents of the output

  // Throws shape_error on every rank where queries or caches do not fit on any, where those of two ranks do not, and where a key is kept
  // nowhere or twice.
  template <class... Parts, class Q, class Kept>
  cache_call(const ranks& all, const mechanism<Parts...>& whole, const view<Q>& q, std::span<const Kept> caches,
             const placement& where) {
    std::optional<told> by_ranks;
    told::numbers own{};
    together(all, [&] {
      own = described(whole, q, caches, where);
      by_ranks.emplace(all);
    });
    by_ranks->tell(all, own);
    index_t most = 0;  // caches of any rank
    for (const told::numbers& rank : by_ranks->by_rank()) most = std::max(most, rank[number_of_caches]);
    const std::size_t texts = std::size_t(q.extent[0]);
    together(all, [&] {
      by_ranks->require_alike(meanings);
      pieces_.resize(std::size_t(all.count() * most) * texts);
    });
    tell_pieces(all, std::size_t(most) * texts);
    together(all, [&] {
      for (std::size_t t = 0; t < texts; ++t) place(all.rank() == 0, t, last_key_of(t, texts), where);
    });
  }

 private:
  static constexpr std::size_t number_of_caches = 8;
  using told = told_by_ranks<9, number_of_caches>;
  static constexpr std::array<told::meaning, number_of_caches> meanings{
      {{"texts"},
       {"query heads"},
       {"queries"},
       {"key heads"},
       {"channels"},
       {"value channels"},
       {"placement, or what their queries hold", true},
       {"what the mechanism learned, or in the tensors of its parts", true}}};

  template <class... Parts, class Q, class Kept>
  told::numbers described(const mechanism<Parts...>& whole, const view<Q>& q, std::span<const Kept> caches,
                          const placement& where) {
    if (caches.empty()) throw shape_error("a rank without a cache: one that holds no tokens says what they would be like");
    if (where.all_keys) throw shape_error("placement: a ring counts the keys of its caches itself, all_keys is not said");
    for (const Kept& cache : caches) {
      detail::require_kept_for(cache, detail::unprepared(whole));
      of_caches.push_back(detail::texts_of(cache, q, where));
      const shapes &first = of_caches.front().lengths, &other = of_caches.back().lengths;
      require_equal("a rank's caches", "each other", "key heads", first.key_heads, other.key_heads);
      require_equal("a rank's caches", "each other", "value channels", first.value_channels, other.value_channels);
    }
    const shapes& lengths = of_caches.front().lengths;
    results = {lengths.batch, lengths.heads, lengths.queries, lengths.value_channels};
    digest call;
    call.add(detail::digest_of(where)), call.add(detail::digest_of_types<Q>());
    return {lengths.batch,          lengths.heads, lengths.queries,          lengths.key_heads,     lengths.channels,
            lengths.value_channels, call.value(),  detail::digest_of(whole), index_t(caches.size())};
  }

  // Which keys of which text each cache of each rank holds. A rank with fewer caches than another says of the others that they are empty.
  void tell_pieces(const ranks& all, std::size_t of_rank) {
    interval* next = pieces_.data() + std::size_t(all.rank()) * of_rank;
    for (const texts_of_kept& cache : of_caches)
      for (const text& each : cache.texts) *next++ = each.key_places();
    const int bytes = int(of_rank * sizeof(interval));
    require_success(MPI_Allgather(MPI_IN_PLACE, 0, MPI_DATATYPE_NULL, pieces_.data(), bytes, MPI_BYTE, all.communicator()),
                    "MPI_Allgather");
  }

  // Where the keys of a text end.
  index_t last_key_of(std::size_t t, std::size_t texts) const {
    std::vector<interval> held;
    for (std::size_t p = t; p < pieces_.size(); p += texts)
      if (!pieces_[p].empty()) held.push_back(pieces_[p]);
    std::sort(held.begin(), held.end(), [](interval a, interval b) { return a.first < b.first; });
    index_t last = 0;
    for (const interval& piece : held) {
      const std::string words = "the caches of the ranks hold, of text " + std::to_string(t) + ", key ";
      if (piece.first < last) throw shape_error(words + std::to_string(piece.first) + " twice");
      if (piece.first > last) throw shape_error(words + std::to_string(piece.first) + " but not key " + std::to_string(last));
      last = piece.last;
    }
    return last;
  }

  // A text in the rank's own caches. Of one that has no keys at all the first cache of the first rank counts the sink.
  void place(bool first_rank, std::size_t t, index_t all_keys, const placement& where) {
    for (texts_of_kept& cache : of_caches) {
      text& each = cache.texts[t];
      const bool counts_sink = first_rank && &cache == &of_caches.front();
      each.all_keys = all_keys == 0 && !counts_sink ? 1 : all_keys;
      each.first_key = std::min(each.first_key, all_keys);
      each.first_query = where.first_query.value_or(all_keys - each.queries.size());
      cache.lengths.all_keys = std::max(cache.lengths.all_keys, each.all_keys);
      cache.lengths.first_query = where.first_query.value_or(cache.lengths.all_keys - cache.lengths.queries);
    }
  }

  std::vector<interval> pieces_;
};

}  // namespace detail
LONGSPAN_NAMESPACE_END

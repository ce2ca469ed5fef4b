#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <longspan/core/shape_error.hpp>
#include <longspan/core/shapes.hpp>
#include <longspan/core/text.hpp>
#include <longspan/distributed/alike.hpp>
#include <longspan/distributed/ranks.hpp>
#include <longspan/distributed/stripes.hpp>
#include <longspan/distributed/together.hpp>
#include <longspan/mechanism.hpp>
#include <longspan/mechanism/batch_of_texts.hpp>
#include <longspan/tensor/checked.hpp>
#include <longspan/tensor/placement.hpp>
#include <longspan/tensor/view.hpp>
#include <longspan/tile/buffer.hpp>

LONGSPAN_NAMESPACE_BEGIN
namespace detail {

// A call that every rank makes with its own rows, as the one call that it is.
struct ring_call {
  shapes lengths;             // of the whole, but for the queries, which are the rank's own
  index_t queries = 0;        // of the whole
  buffer<text> texts;         // along the axes of the whole
  stripes own, keys;          // the rank's queries and keys
  std::vector<stripes> each;  // the keys of every rank

  // Throws shape_error on every rank where tensors do not fit on any, or where those of two ranks do not.
  template <class... Parts, class Q, class K, class V>
  ring_call(const ranks& all, const mechanism<Parts...>& whole, const view<Q>& q, const view<K>& k, const view<V>& v,
            const placement& where) {
    std::optional<told> by_ranks;
    told::numbers own_numbers{};
    together(all, [&] {
      lengths = checked(q, k, v, {});
      own_numbers = {lengths.batch,
                     lengths.heads,
                     lengths.key_heads,
                     lengths.channels,
                     lengths.value_channels,
                     detail::digest_of_types<Q, K, V>(),
                     detail::digest_of(where),
                     detail::digest_of(whole),
                     lengths.queries,
                     lengths.keys};
      by_ranks.emplace(all);
    });
    by_ranks->tell(all, own_numbers);
    together(all, [&] {
      by_ranks->require_alike(meanings);
      place(all, by_ranks->by_rank(), where);
    });
  }

 private:
  static constexpr std::size_t query_number = 8, key_number = 9;
  using told = told_by_ranks<10, query_number>;
  static constexpr std::array<told::meaning, query_number> meanings{
      {{"batch"},
       {"query heads"},
       {"key heads"},
       {"channels"},
       {"value channels"},
       {"what their tensors hold", true},
       {"placement", true},
       {"what the mechanism learned, or in the tensors of its parts", true}}};

  // Every rank knows the same, and throws the same, unless its memory runs out.
  void place(const ranks& all, std::span<const told::numbers> by_rank, const placement& where) {
    shapes of_all = lengths;
    of_all.queries = of_all.keys = 0;
    for (const told::numbers& each_rank : by_rank)
      of_all.queries += each_rank[query_number], of_all.keys += each_rank[key_number];
    of_all = placed(of_all, where);
    texts = texts_of(of_all, where);
    for (std::size_t rank = 0; rank < by_rank.size(); ++rank) {
      each.emplace_back(of_all.keys, all.count(), index_t(rank));
      require_share("queries", rank, by_rank[rank][query_number], of_all.queries,
                    stripes(of_all.queries, all.count(), index_t(rank)));
      require_share("keys", rank, by_rank[rank][key_number], of_all.keys, each.back());
    }
    own = stripes(of_all.queries, all.count(), all.rank());
    keys = each[std::size_t(all.rank())];
    queries = of_all.queries;
    of_all.queries = lengths.queries;
    lengths = of_all;
  }

  static void require_share(const char* what, std::size_t rank, index_t has, index_t of, const stripes& share) {
    if (has != share.tokens())
      throw shape_error("rank " + std::to_string(rank) + " has " + std::to_string(has) + " of " + std::to_string(of) + " " +
                        what + ": its stripes, as ring::scatter gives them, have " + std::to_string(share.tokens()));
  }
};

}  // namespace detail
LONGSPAN_NAMESPACE_END

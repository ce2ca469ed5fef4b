#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <type_traits>
#include <vector>

#include <longspan/core/shape_error.hpp>
#include <longspan/core/shapes.hpp>
#include <longspan/core/text.hpp>
#include <longspan/distributed/ranks.hpp>
#include <longspan/distributed/stripes.hpp>
#include <longspan/distributed/together.hpp>
#include <longspan/mechanism.hpp>
#include <longspan/mechanism/batch_of_texts.hpp>
#include <longspan/mechanism/parameters.hpp>
#include <longspan/mechanism/takers.hpp>
#include <longspan/tensor/checked.hpp>
#include <longspan/tensor/placement.hpp>
#include <longspan/tensor/view.hpp>
#include <longspan/tile/buffer.hpp>

LONGSPAN_NAMESPACE_BEGIN
namespace detail {

// A number that differs where any of some numbers do (FNV-1a).
class digest {
 public:
  void add(index_t number) {
    for (int byte = 0; byte < 8; ++byte)
      value_ = (value_ ^ (std::uint64_t(number) >> 8 * byte & 255)) * std::uint64_t(0x100000001b3u);
  }
  void add(const std::optional<index_t>& number) { add(number ? 1 : 0), add(number.value_or(0)); }
  void add(const token_counts& numbers) {
    add(numbers ? index_t(numbers->size()) : -1);
    if (numbers)
      for (const index_t each : *numbers) add(each);
  }
  index_t value() const { return index_t(value_); }

 private:
  std::uint64_t value_ = 0xcbf29ce484222325u;
};

inline index_t digest_of(const placement& where) {
  digest all;
  all.add(where.first_query), all.add(where.first_key), all.add(where.all_keys);
  all.add(where.key_lengths), all.add(where.query_lengths), all.add(where.query_starts), all.add(where.key_starts);
  return all.value();
}

// Of learned numbers, and of the extents of tensors that parts read, but for what is a rank's own: their query axes.
template <class... Parts>
index_t digest_of(const mechanism<Parts...>& whole) {
  digest all;
  detail::for_each_part_tensor(whole, [&](const char*, const auto& tensor) {
    for (const std::size_t axis : {0u, 1u, 3u}) all.add(tensor.extent[axis]);
  });
  longspan::for_each_learned(whole, [&](const double& number) { all.add(std::bit_cast<std::int64_t>(number)); });
  return all.value();
}

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
    together(all, [&] {
      lengths = checked(q, k, v, {});
      digest types;
      (types.add(index_t(sizeof(Q))), types.add(index_t(sizeof(K))), types.add(index_t(sizeof(V))));
      told_ = {lengths.batch,          lengths.heads, lengths.key_heads,        lengths.channels,
               lengths.value_channels, types.value(), detail::digest_of(where), detail::digest_of(whole),
               lengths.queries,        lengths.keys};
      by_rank_.resize(std::size_t(all.count()));
    });
    require_success(MPI_Allgather(&told_, sizeof told_, MPI_BYTE, by_rank_.data(), sizeof told_, MPI_BYTE, all.communicator()),
                    "MPI_Allgather");
    together(all, [&] { require_like_ranks(), place(all, where); });
  }

 private:
  static constexpr std::size_t fields = 10, query_field = 8, key_field = 9;
  using told = std::array<index_t, fields>;

  // From here on every rank knows the same, and throws the same, unless its memory runs out.
  void require_like_ranks() const {
    constexpr const char* names[] = {"batch", "query heads", "key heads", "channels", "value channels"};
    constexpr const char* unnamed[] = {"what their tensors hold", "placement",
                                       "what the mechanism learned, or in the tensors of its parts"};
    for (std::size_t rank = 1; rank < by_rank_.size(); ++rank)
      for (std::size_t field = 0; field < query_field; ++field) {
        if (by_rank_[rank][field] == by_rank_[0][field]) continue;
        std::string message = "ranks 0 and " + std::to_string(rank) + " differ in ";
        message += field < 5 ? names[field] : unnamed[field - 5];
        if (field < 5) message += ": " + std::to_string(by_rank_[0][field]) + " and " + std::to_string(by_rank_[rank][field]);
        throw shape_error(message);
      }
  }

  void place(const ranks& all, const placement& where) {
    shapes of_all = lengths;
    of_all.queries = of_all.keys = 0;
    for (const told& each_rank : by_rank_) of_all.queries += each_rank[query_field], of_all.keys += each_rank[key_field];
    of_all = placed(of_all, where);
    texts = texts_of(of_all, where);
    for (std::size_t rank = 0; rank < by_rank_.size(); ++rank) {
      each.emplace_back(of_all.keys, all.count(), index_t(rank));
      require_share("queries", rank, by_rank_[rank][query_field], of_all.queries,
                    stripes(of_all.queries, all.count(), index_t(rank)));
      require_share("keys", rank, by_rank_[rank][key_field], of_all.keys, each.back());
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

  told told_{};
  std::vector<told> by_rank_;
};

}  // namespace detail
LONGSPAN_NAMESPACE_END

#pragma once

#include <algorithm>
#include <cstddef>
#include <memory>
#include <span>
#include <stdexcept>
#include <string>
#include <tuple>
#include <utility>

#include <longspan/core/index.hpp>
#include <longspan/core/interval.hpp>
#include <longspan/core/key_set.hpp>
#include <longspan/core/shapes.hpp>
#include <longspan/core/text.hpp>
#include <longspan/tile/buffer.hpp>
#include <longspan/transform/reach.hpp>

LONGSPAN_NAMESPACE_BEGIN
namespace detail {

// How many keys each row of one text sees in all summands, and the first of them; once for all heads where that is so in every summand.
class seen_in_all {
 public:
  // Seen are the seen_keys of the summands. Throws std::invalid_argument where a row sees a key in two of them.
  template <class... Seen>
  seen_in_all(const text& of, const shapes& lengths, const Seen&... each)
      : alike_((Seen::alike && ...)),
        of_text_(of.lengths(lengths)),
        rows_(std::size_t((alike_ ? 1 : lengths.heads) * of.queries.size())) {
    std::size_t number = 0;
    for (index_t h = 0; h < (alike_ ? std::min<index_t>(1, lengths.heads) : lengths.heads); ++h)
      for (index_t i = 0; i < of_text_.queries; ++i)
        rows_[number++] = whole(of, h, i, std::tie(*each.keys_of(h, i).whole...), std::index_sequence_for<Seen...>{});
  }

  index_t count(index_t head, index_t query) const { return row(head, query).keys; }

  // See seen_keys.
  bool has_first(index_t head, index_t query) const {
    const some_keys& own = row(head, query);
    return own.keys == 0 ? of_text_.first_key == 0 && (of_text_.keys > 0 || of_text_.all_keys == 0)
                         : of_text_.key_positions().contains(own.first);
  }

 private:
  struct some_keys {
    index_t keys, first;
  };

  template <class Answers, std::size_t... Summand>
  static some_keys whole(const text& of, index_t head, index_t query, const Answers& answers, std::index_sequence<Summand...>) {
    interval all;
    ((all = detail::hull(all, std::get<Summand>(answers).hull())), ...);
    const auto apart_from_later = [&]<std::size_t A, std::size_t... After>(std::index_sequence<After...>) {
      (require_apart<A, A + 1 + After>(of, head, query, answers), ...);
    };
    (apart_from_later.template operator()<Summand>(std::make_index_sequence<sizeof...(Summand) - 1 - Summand>{}), ...);
    return {(index_t(std::get<Summand>(answers).count()) + ...), all.first};
  }

  template <std::size_t A, std::size_t B, class Answers>
  static void require_apart(const text& of, index_t head, index_t query, const Answers& answers) {
    const auto& a = std::get<A>(answers);
    const auto& b = std::get<B>(answers);
    if (detail::intersect(a.hull(), b.hull()).empty()) return;
    const auto shared = detail::intersect(a, b);
    if (const interval keys = shared.hull(); !keys.empty())
      throw std::invalid_argument("a sum reads each key in one summand: the query at place " +
                                  std::to_string(of.first_query + query) + " (text " + std::to_string(of.number) + ", head " +
                                  std::to_string(head) + ") sees key " + std::to_string(keys.first) + " in summands " +
                                  std::to_string(A) + " and " + std::to_string(B));
  }

  const some_keys& row(index_t head, index_t query) const {
    return rows_[std::size_t((alike_ ? 0 : head * of_text_.queries) + query)];
  }

  bool alike_;
  shapes of_text_;
  buffer<some_keys> rows_;
};

// What the rows of one text see in one summand: stands in for its seen_keys. n and the first key, with which the sink is counted where this
// summand counts it, are those of all summands.
template <class Seen>
class seen_in_summand {
 public:
  using answer = typename Seen::answer;
  using keys = typename Seen::keys;
  static constexpr bool alike = Seen::alike;

  seen_in_summand(std::shared_ptr<const Seen> own, std::shared_ptr<const seen_in_all> all, bool counts_sink)
      : own_(std::move(own)), all_(std::move(all)), counts_sink_(counts_sink) {}

  keys keys_of(index_t head, index_t query) const { return own_->keys_of(head, query); }
  index_t count(index_t head, index_t query) const { return all_->count(head, query); }
  bool has_first(index_t head, index_t query) const { return counts_sink_ && all_->has_first(head, query); }
  interval needed(index_t key_head, interval some) const { return own_->needed(key_head, some); }
  reach distances(index_t padding) const { return own_->distances(padding); }

 private:
  std::shared_ptr<const Seen> own_;
  std::shared_ptr<const seen_in_all> all_;
  bool counts_sink_;
};

}  // namespace detail
LONGSPAN_NAMESPACE_END

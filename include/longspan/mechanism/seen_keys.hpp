#pragma once

#include <cstdint>
#include <span>
#include <tuple>
#include <type_traits>
#include <utility>

#include <longspan/core/at_hand.hpp>
#include <longspan/core/index.hpp>
#include <longspan/core/interval.hpp>
#include <longspan/core/key_set.hpp>
#include <longspan/core/query_row.hpp>
#include <longspan/core/shapes.hpp>
#include <longspan/core/text.hpp>
#include <longspan/mask/concept.hpp>
#include <longspan/tile/buffer.hpp>
#include <longspan/tile/panel_sets.hpp>
#include <longspan/transform/reach.hpp>

LONGSPAN_NAMESPACE_BEGIN
namespace detail {

// What is known of a query row before its masks are asked: everything but how many keys it sees. `query` counts through its text.
inline query_row place_of_row(const shapes& lengths, const text& of, index_t head, index_t query) {
  return {.position = of.first_query + query,
          .keys = of.all_keys,
          .head = head,
          .heads = lengths.heads,
          .batch = of.batch,
          .channels = lengths.channels,
          .text = of.number,
          .query = of.queries.first + query,
          .first_key = of.keys.first - of.first_key};
}

// What every mask lets a row see.
template <class... Masks>
auto seen_by_all(const std::tuple<Masks...>& masks, const query_row& row) {
  return std::apply([&](const Masks&... each) { return detail::intersection(detail::visible(each, row)...); }, masks);
}

template <class Masks>
inline constexpr bool all_by_position_alone = false;
template <class... Masks>
inline constexpr bool all_by_position_alone<std::tuple<Masks...>> = (by_position_alone<std::remove_cvref_t<Masks>> && ...);

// What the rows of one text see, found once: each mask is asked once for every row, or once for every position where all masks look at
// nothing else, and nobody else asks one. From the answers follow the panels that a key head needs and the distances that occur. A row
// takes the size of its answer: 16 bytes for an interval, 16 more for each further one.
template <class Masks>
class seen_keys {
 public:
  using answer = decltype(detail::seen_by_all(std::declval<const Masks&>(), query_row{}));
  using keys = at_hand<answer>;
  // One answer serves all heads, and texts that stand alike.
  static constexpr bool alike = all_by_position_alone<Masks>;

  seen_keys(const Masks& masks, const shapes& lengths, const text& of)
      : masks_(masks),
        lengths_(of.lengths(lengths)),
        needed_(alike ? 1 : lengths.key_heads, lengths_.keys),
        hulls_(std::size_t(alike ? 1 : lengths.key_heads)) {
    const index_t heads = alike ? std::min<index_t>(1, lengths.heads) : lengths.heads;
    answers_.reserve(std::size_t(heads * lengths_.queries));
    for (index_t h = 0; h < heads; ++h)
      for (index_t i = 0; i < lengths_.queries; ++i) {
        const query_row row = place_of_row(lengths, of, h, i);
        answers_.push_back(detail::seen_by_all(masks_, row));
        note(number(h / lengths.group()), row.position, keys_of(h, i));
      }
  }

  // Of one row: the keys at hand, counted from the first.
  keys keys_of(index_t head, index_t query) const { return {&whole(head, query), lengths_.key_positions()}; }

  // n of LogN, SSMax and InfoScale: how many keys the row sees, those that are not at hand among them.
  index_t count(index_t head, index_t query) const { return index_t(whole(head, query).count()); }

  // Whether the first key that the row sees of the whole text is at hand; key 0 counts for a row that sees none. Of the parts of a text
  // it is so of one.
  bool has_first(index_t head, index_t query) const {
    const interval all = whole(head, query).hull();
    return all.empty() ? lengths_.first_key == 0 && (lengths_.keys > 0 || lengths_.all_keys == 0)
                       : lengths_.key_positions().contains(all.first);
  }

  // The hull of the panels that some row of a key head needs among some keys, as far as any row sees.
  interval needed(index_t key_head, interval some) const {
    const index_t head = number(key_head);
    return intersect(hulls_[std::size_t(head)], needed_.needed(head, some));
  }

  // The distances t = i - j that some row sees among the keys at hand, and those that tiles touch beside them; a tile may end `padding`
  // keys beyond the last.
  reach distances(index_t padding) const {
    const interval from = lengths_.query_positions(), to = lengths_.key_positions();
    return {distances_, {from.first - to.last - padding, from.last - to.first}, lengths_.heads};
  }

 private:
  const answer& whole(index_t head, index_t query) const {
    return answers_[std::size_t(alike ? query : head * lengths_.queries + query)];
  }
  index_t number(index_t key_head) const { return alike ? 0 : key_head; }

  void note(index_t head, index_t position, const keys& row) {
    interval seen;
    detail::for_each_piece(row, {0, lengths_.keys},
                           [&](interval piece, index_t) { seen = hull(seen, piece), needed_.add(head, piece); });
    if (seen.empty()) return;
    const index_t t = position - lengths_.first_key;
    hulls_[std::size_t(head)] = hull(hulls_[std::size_t(head)], seen);
    distances_ = hull(distances_, {t - seen.last + 1, t - seen.first + 1});
  }

  Masks masks_;  // which answers may refer to
  shapes lengths_;
  buffer<answer> answers_;
  panel_sets needed_;       // by key head,
  buffer<interval> hulls_;  // as are the hulls of what its rows see
  interval distances_;
};

}  // namespace detail
LONGSPAN_NAMESPACE_END

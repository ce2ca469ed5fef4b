#pragma once

#include <algorithm>
#include <cstddef>
#include <memory>
#include <span>
#include <tuple>
#include <utility>

#include <longspan/core/interval.hpp>
#include <longspan/core/text.hpp>
#include <longspan/distributed/ring_call.hpp>
#include <longspan/distributed/stripes.hpp>
#include <longspan/mechanism.hpp>
#include <longspan/mechanism/bind_summands.hpp>
#include <longspan/tile/buffer.hpp>

LONGSPAN_NAMESPACE_BEGIN
namespace detail {

// A text's rows of one stripe of queries, beside some of the text's keys: `queries` along the rank's own tensor, `keys` along the axis of
// all ranks, so that what parts find by row.query and row.key(j) are a rank's own rows and everybody's keys.
inline text piece_of(const text& of, interval queries, index_t first_row, interval keys) {
  const interval rows = intersect(of.queries, queries), some = intersect(of.keys, keys);
  text piece = of;
  piece.first_query += rows.first - of.queries.first;
  piece.queries = {rows.first - queries.first + first_row, rows.last - queries.first + first_row};
  piece.first_key += some.first - of.keys.first;
  piece.keys = some;
  return piece;
}

// The rows of some texts, along the rank's own tensor.
inline interval rows_of_texts(const buffer<text>& texts) {
  interval rows;
  for (const text& each : texts) rows = hull(rows, each.queries);
  return rows;
}

// Which keys the rank's own rows see, of the keys of all ranks; of a sum, in any summand.
template <class... Parts>
class ring_sight {
 public:
  ring_sight(const mechanism<Parts...>& whole, const ring_call& call) : lengths_(call.lengths), own_(call.own) {
    for (std::size_t s = 0; s < own_.count(); ++s)
      for (const text& each : call.texts)
        if (!intersect(each.queries, own_[s]).empty())
          texts_.push_back(piece_of(each, own_[s], own_.own(s).first, each.keys)), stripe_.push_back(s);
    seen_ = detail::see_each(whole, lengths_, texts_);
    for (std::size_t t = 0; t < texts_.size(); ++t) counts_first_key_.push_back(has_sink && some_row_sees_none(t));
  }

  // The hull of what the rows of a stripe need among some keys.
  interval needed(std::size_t stripe, interval keys) const {
    interval all;
    for (std::size_t t = 0; t < texts_.size(); ++t)
      if (stripe_[t] == stripe) all = hull(all, needed_by_text(t, keys));
    return all;
  }
  // The same of the rows of all stripes.
  interval needed(interval keys) const {
    interval all;
    for (std::size_t s = 0; s < own_.count(); ++s) all = hull(all, needed(s, keys));
    return all;
  }

  // The texts of a call of the rows of a stripe and some keys: those with rows that see any, from the first of these rows to the last. A
  // text without keys is taken up once.
  buffer<text> texts(std::size_t stripe, interval keys, bool without_keys) const {
    buffer<text> some;
    for (std::size_t t = 0; t < texts_.size(); ++t) {
      if (stripe_[t] != stripe) continue;
      text piece = texts_[t];
      if (piece.keys.empty()) {
        if (without_keys) some.push_back(piece);
      } else if (!needed_by_text(t, keys).empty()) {
        const interval held = intersect(piece.keys, keys);
        piece.first_key += held.first - piece.keys.first;
        piece.keys = held;
        const interval rows = rows_that_see(t, held);
        if (rows.empty()) continue;  // others see a key of the same panel
        piece.first_query += rows.first;
        piece.queries = {piece.queries.first + rows.first, piece.queries.first + rows.last};
        some.push_back(piece);
      }
    }
    return some;
  }

 private:
  static constexpr bool has_sink = has_part_at<place::sink, mechanism<Parts...>>;

  // In each sentence, what the rows of each text see.
  using seen_of_texts = decltype(detail::see_each(std::declval<const mechanism<Parts...>&>(), shapes{}, std::span<const text>{}));

  template <class... Each>
  static constexpr bool all_alike(const std::tuple<buffer<std::shared_ptr<const Each>>...>*) {
    return (Each::alike && ...);
  }
  static constexpr index_t different(index_t heads) {
    return all_alike(static_cast<const seen_of_texts*>(nullptr)) ? std::min<index_t>(1, heads) : heads;
  }

  // The hull of what answer(seen keys of a text) says of each sentence.
  template <class Answer>
  interval in_any(std::size_t t, const Answer& answer) const {
    interval all;
    std::apply([&](const auto&... each) { ((all = hull(all, answer(*each[t]))), ...); }, seen_);
    return all;
  }
  bool sees_none(std::size_t t, index_t h, index_t i) const { return std::get<0>(seen_)[t]->count(h, i) == 0; }

  // The rows of a text from the first to the last that sees one of some keys, counted from the text's first.
  interval rows_that_see(std::size_t t, interval keys) const {
    const index_t first = texts_[t].keys.first;
    const interval some{keys.first - first, keys.last - first};
    interval rows;
    for (index_t h = 0; h < different(lengths_.heads); ++h)
      for (index_t i = 0; i < texts_[t].queries.size(); ++i)
        if (!in_any(t, [&](const auto& seen) { return intersect(interval(seen.keys_of(h, i).hull()), some); }).empty() ||
            (counts_first_key_[t] && some.first == 0 && sees_none(t, h, i)))
          rows = hull(rows, {i, i + 1});
    return rows;
  }

  interval needed_by_text(std::size_t t, interval keys) const {
    const text& of = texts_[t];
    const interval some = intersect(of.keys, keys);
    if (some.empty()) return {};
    const index_t first = of.keys.first;
    interval all;
    for (index_t g = 0; g < different(lengths_.key_heads); ++g)
      all = hull(all, in_any(t, [&](const auto& seen) { return seen.needed(g, {some.first - first, some.last - first}); }));
    all = intersect({all.first + first, all.last + first}, some);
    return counts_first_key_[t] && some.first == first ? hull(all, {first, first + 1}) : all.hull();
  }

  // A row that sees nothing has its sink counted by whoever has the first key.
  bool some_row_sees_none(std::size_t t) const {
    for (index_t h = 0; h < different(lengths_.heads); ++h)
      for (index_t i = 0; i < texts_[t].queries.size(); ++i)
        if (sees_none(t, h, i)) return true;
    return false;
  }

  shapes lengths_;
  stripes own_;
  buffer<text> texts_;  // with all their keys
  buffer<std::size_t> stripe_;
  seen_of_texts seen_;
  buffer<char> counts_first_key_;
};

}  // namespace detail
LONGSPAN_NAMESPACE_END

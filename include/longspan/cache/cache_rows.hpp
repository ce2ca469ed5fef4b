#pragma once

#include <memory>
#include <optional>
#include <span>
#include <tuple>
#include <type_traits>
#include <typeinfo>
#include <utility>

#include <longspan/cache/recent_angles.hpp>
#include <longspan/cache/summand_of_keys.hpp>
#include <longspan/core/interval.hpp>
#include <longspan/core/shapes.hpp>
#include <longspan/core/text.hpp>
#include <longspan/core/token.hpp>
#include <longspan/mask/concept.hpp>
#include <longspan/mechanism/bind.hpp>
#include <longspan/position/concept.hpp>

LONGSPAN_NAMESPACE_BEGIN
namespace detail {

// What a cache keeps of the sentence that it was made with, without its type: how keys are prepared, and which keys later rows may see.
template <class T>
class cache_rows {
 public:
  virtual ~cache_rows() = default;
  virtual std::unique_ptr<cache_rows> clone() const = 0;

  // Makes ready to turn the queries and keys of some texts, or throws what a part that cannot does; asked on one thread.
  virtual void reach(std::span<const text> texts) = 0;
  // A row of either after the row parts, and a key after the score.
  virtual void turn(std::span<T> row, const token& of) const = 0;
  virtual void key(std::span<T> row, const token& of) const = 0;
  // Whether any row at `position` or beyond may see one of some keys.
  virtual bool needed_from(index_t position, interval keys) const = 0;
  // Whether keys are prepared as by other row parts and another score, a tuple of that type.
  virtual bool same_as(const std::type_info& type, const void* parts) const = 0;
};

// A row part and what turns its rows.
template <class T, class P>
struct kept_part {
  P part;

  kept_part(const P& from, const shapes&) : part(from) {}
  void reach(const shapes& lengths, std::span<const text> texts) {
    if constexpr (requires { part.check(lengths, texts); }) part.check(lengths, texts);
  }
  void turn(std::span<T> row, const token& of) const { detail::turn(part, row, of); }
};
template <class T, rotation P>
struct kept_part<T, P> {
  P part;
  recent_angles<T> table;

  kept_part(const P& from, const shapes& lengths) : part(from), table(from.frequencies(lengths.channels)) {}
  void reach(const shapes&, std::span<const text> texts) {
    for (const text& each : texts) table.reach(each.number, hull(each.query_places(), each.key_places()));
  }
  void turn(std::span<T> row, const token& of) const { table.turn(row, of); }
};
// Parts that make tables for a call make them whenever they are asked for other tokens.
template <class T, class P>
concept prepares_rows =
    requires(const P& part, const shapes& lengths, std::span<const text> texts) { part.template prepare<T>(lengths, texts); };
template <class T, class P>
  requires prepares_rows<T, P> && (!rotation<P>)
struct kept_part<T, P> {
  using table = decltype(std::declval<const P&>().template prepare<T>(shapes{}, std::span<const text>{}));
  P part;
  std::optional<table> made;

  kept_part(const P& from, const shapes&) : part(from) {}
  void reach(const shapes& lengths, std::span<const text> texts) {
    buffer<text> all;  // tables are found by the text's number: those that are not asked for have none
    for (index_t t = 0; t < lengths.batch; ++t) all.push_back({t, t, {}, {}});
    for (const text& each : texts) all[std::size_t(each.number)] = each;
    made.emplace(part.template prepare<T>(lengths, all));
  }
  void turn(std::span<T> row, const token& of) const { detail::turn(*made, row, of); }
};

// Whether a mask may let rows from a position on see any of some keys: it says so by `later(position)`, else it may see all.
template <class M>
bool may_see(const M& mask, index_t position, interval keys) {
  bool any = true;
  if constexpr (requires { mask.later(position); }) {
    any = false;
    const auto later = mask.later(position);
    detail::for_each_run(detail::as_key_set(later), keys, [&](interval) { any = true; });
  }
  return any;
}

// Masks are the tuples of masks of the sentence, of each summand of a sum.
template <class T, class Rows, class Score, class... Masks>
class rows_of_sentence;
template <class T, class... Rows, class Score, class... Masks>
class rows_of_sentence<T, std::tuple<Rows...>, Score, Masks...> final : public cache_rows<T> {
 public:
  using parts = std::pair<std::tuple<Rows...>, Score>;

  rows_of_sentence(const std::tuple<Rows...>& rows, const Score& score, const shapes& lengths, const Masks&... masks)
      : lengths_(lengths),
        rows_(std::apply([&](const Rows&... each) { return std::tuple<kept_part<T, Rows>...>{{each, lengths}...}; }, rows)),
        score_(score),
        masks_(masks...) {}

  std::unique_ptr<cache_rows<T>> clone() const override { return std::make_unique<rows_of_sentence>(*this); }

  void reach(std::span<const text> texts) override {
    std::apply([&](auto&... each) { (each.reach(lengths_, texts), ...); }, rows_);
  }
  void turn(std::span<T> row, const token& of) const override {
    std::apply([&](const auto&... each) { (each.turn(row, of), ...); }, rows_);
  }
  void key(std::span<T> row, const token& of) const override {
    turn(row, of);
    score_.key(row);
  }
  bool needed_from(index_t position, interval keys) const override {
    position += lengths_.first_key, keys = {keys.first + lengths_.first_key, keys.last + lengths_.first_key};
    const auto by_all = [&](const auto&... mask) { return (detail::may_see(mask, position, keys) && ...); };
    return std::apply([&](const Masks&... each) { return (std::apply(by_all, each) || ...); }, masks_);
  }
  bool same_as(const std::type_info& type, const void* other) const override {
    if (type != typeid(parts)) return false;
    const auto& theirs = static_cast<const parts*>(other)->first;
    return [&]<std::size_t... N>(std::index_sequence<N...>) {
      return (detail::turn_alike(std::get<N>(rows_).part, std::get<N>(theirs), lengths_) && ...);
    }(std::index_sequence_for<Rows...>{});
  }

 private:
  shapes lengths_;
  std::tuple<kept_part<T, Rows>...> rows_;
  Score score_;
  std::tuple<Masks...> masks_;
};

template <class T, class Rows, class Score, class... Masks>
std::unique_ptr<cache_rows<T>> make_rows(const Rows& rows, const Score& score, const shapes& lengths,
                                         const std::tuple<Masks...>& masks) {
  return std::apply(
      [&](const Masks&... each) {
        return std::make_unique<rows_of_sentence<T, Rows, Score, Masks...>>(rows, score, lengths, each...);
      },
      masks);
}

// Of a sentence, for keys of so many channels.
template <class T, class... Parts>
std::unique_ptr<cache_rows<T>> rows_of(const mechanism<Parts...>& whole, const shapes& lengths) {
  const auto& first = detail::summand_of_keys(whole, lengths);
  const auto masks = std::apply(
      [](const auto&... each) {
        return std::tuple<decltype(detail::pick<place::mask>(each, unchanged))...>{detail::pick<place::mask>(each, unchanged)...};
      },
      detail::summands_of(whole));
  return detail::make_rows<T>(detail::pick<place::rows>(first, unchanged),
                              std::get<0>(detail::pick<place::score>(first, unchanged)), lengths, masks);
}

// The row parts of a sentence over a cache, as the kernel is given them: those of the cache.
template <class T>
struct rows_of_cache {
  const cache_rows<T>* rows;
  void turn(std::span<T> row, const token& of) const { rows->turn(row, of); }
};

}  // namespace detail
LONGSPAN_NAMESPACE_END

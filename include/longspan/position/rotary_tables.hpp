#pragma once

#include <span>
#include <string>
#include <type_traits>
#include <utility>

#include <longspan/core/shape_error.hpp>
#include <longspan/core/shapes.hpp>
#include <longspan/core/text.hpp>
#include <longspan/core/token.hpp>
#include <longspan/position/ladder.hpp>
#include <longspan/position/rotate.hpp>
#include <longspan/tensor/broadcast.hpp>
#include <longspan/tensor/checked.hpp>
#include <longspan/tensor/traits.hpp>
#include <longspan/tensor/view.hpp>

LONGSPAN_NAMESPACE_BEGIN

// A rotation by angles that the caller brings (M-RoPE, 2-D): pair i of a token turns by the angle whose cosine and sine the tables have,
// x cos - y sin and x sin + y cos. The tables are (batch or 1, token, pair), of one kind of number: tensors of rank 3, or of rank 2 where
// batch is 1, or views of extents (batch or 1, 1, token, pair). The row of a token is that of its place along the token axis of the key
// tensor, for a query too: where queries are the last tokens of the keys, theirs are the last rows. Channels beyond the first 2 * pairs
// stay. Tables of frameworks that repeat the pairs to the width of the row are handed over as their first half. A magnitude, as YaRN has
// one, is in the tables. They are read where they lie, and must live as long as the mechanism is used. Throws shape_error where the
// extents of the tables differ, where batch is neither 1 nor that of the call, where a query or a key has no row, and where there are more
// pairs than pairs of channels.
template <class S>
struct rotary_tables {
  static_assert(detail::are_numbers<S>());
  view<const S> cosine, sine;
  longspan::pairing pairing = longspan::pairing::halves;

  template <class Cosines, class Sines>
  rotary_tables(Cosines&& cosines, Sines&& sines, longspan::pairing paired = longspan::pairing::halves)
      : cosine(batch_first(std::forward<Cosines>(cosines))), sine(batch_first(std::forward<Sines>(sines))), pairing(paired) {}

  template <class T>
  void turn(std::span<T> row, const token& of) const {
    turn(row, of, T(1));
  }
  template <class T>
  void turn_back(std::span<const T>, std::span<T> gradient, const token& of) const {
    turn(gradient, of, T(-1));
  }

  void for_each_tensor(auto visit) const { visit("cosines of rotary_tables", cosine), visit("sines of rotary_tables", sine); }

  void check(const shapes& lengths, std::span<const detail::text> texts) const {
    constexpr const char* axes[] = {"batch", "heads", "tokens", "pairs"};
    detail::require_memory("cosines of rotary_tables", cosine), detail::require_memory("sines of rotary_tables", sine);
    for (std::size_t axis = 0; axis < 4; ++axis)
      detail::require_equal("cosines of rotary_tables", "sines", axes[axis], cosine.extent[axis], sine.extent[axis]);
    if (cosine.extent[1] != 1)
      throw shape_error("rotary_tables are the same for all heads: heads must be 1, not " + std::to_string(cosine.extent[1]));
    if (cosine.extent[0] != 1) detail::require_equal("rotary_tables", "key", "batch", cosine.extent[0], lengths.batch);
    if (2 * cosine.extent[3] > lengths.channels)
      throw shape_error("rotary_tables: pairs must be at most half of the channels: " + std::to_string(cosine.extent[3]) +
                        " and " + std::to_string(lengths.channels));
    for (const detail::text& each : texts) require_rows(each);
  }

 private:
  // A tensor of rank 3 has its batch where others have their heads.
  template <class Tensor>
  static view<const S> batch_first(Tensor&& tensor) {
    view<const S> table = detail::lasting_view_of(std::forward<Tensor>(tensor));
    if (table.extent[0] == 1) std::swap(table.extent[0], table.extent[1]), std::swap(table.stride[0], table.stride[1]);
    return table;
  }

  void require_rows(const detail::text& text) const {
    const auto one = [&](const char* who, interval places) {
      if (places.empty()) return;
      const index_t first = text.at(token::role::key, places.first).number, last = first + places.size() - 1;
      if (places.first < 0)
        throw shape_error(std::string("rotary_tables: ") + who + " of text " + std::to_string(text.number) +
                          " begin before its keys, at place " + std::to_string(places.first) + ", for which there is no row");
      if (first < 0 || last >= cosine.extent[2])
        throw shape_error(std::string("rotary_tables: ") + who + " are tokens " + std::to_string(first) + " to " +
                          std::to_string(last) + " of the keys, and there are rows for " + std::to_string(cosine.extent[2]));
    };
    one("queries", text.query_places()), one("keys", text.key_places());
  }

  template <class T>
  void turn(std::span<T> row, const token& of, T direction) const {
    const index_t batch = cosine.extent[0] == 1 ? 0 : of.batch, pairs = cosine.extent[3];
    const auto c = cosine.head(batch, 0), s = sine.head(batch, 0);
    if constexpr (std::is_same_v<S, T>)
      if (c.channel_stride == 1 && s.channel_stride == 1)
        return detail::rotate(row, pairing, pairs, c.row(of.number), s.row(of.number), direction);
    detail::rotate_each(row, pairing, {0, pairs}, direction, [&](index_t i) {
      return std::pair(static_cast<T>(c.row(of.number)[i * c.channel_stride]),
                       static_cast<T>(s.row(of.number)[i * s.channel_stride]));
    });
  }
};
template <class Cosines, class Sines>
rotary_tables(const Cosines&, const Sines&) -> rotary_tables<detail::element_of<const Cosines>>;
template <class Cosines, class Sines>
rotary_tables(const Cosines&, const Sines&, pairing) -> rotary_tables<detail::element_of<const Cosines>>;

LONGSPAN_NAMESPACE_END

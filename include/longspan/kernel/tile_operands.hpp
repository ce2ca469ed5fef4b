#pragma once

#include <algorithm>
#include <cstdint>
#include <span>
#include <type_traits>
#include <utility>

#include <longspan/core/interval.hpp>
#include <longspan/kernel/broadcast_keys.hpp>
#include <longspan/kernel/key_head.hpp>
#include <longspan/kernel/key_operand.hpp>
#include <longspan/kernel/pack_values.hpp>
#include <longspan/kernel/prepare_row.hpp>
#include <longspan/kernel/side_by_side.hpp>
#include <longspan/kernel/streamed_keys.hpp>
#include <longspan/kernel/value_operand.hpp>
#include <longspan/kernel/value_rows.hpp>
#include <longspan/tensor/view.hpp>
#include <longspan/tile/buffer.hpp>
#include <longspan/tile/by_key.hpp>
#include <longspan/tile/read_ahead.hpp>
#include <longspan/tile/shape.hpp>

LONGSPAN_NAMESPACE_BEGIN
namespace detail {

// Appends where some tokens of a head lie, for read_ahead; nothing if their channels do not lie side by side.
template <head_rows Head>
void append_rows(const Head& head, interval tokens, buffer<memory_rows>& to) {
  if (head.channel_stride != 1) return;
  constexpr auto bytes = index_t(sizeof(typename Head::number));
  for_each_lying_together(head, tokens, [&](interval some) {
    to.push_back({reinterpret_cast<std::intptr_t>(head.row(some.first)), some.size() > 1 ? head.token_stride * bytes : 0,
                  head.channels * bytes, some.size()});
  });
}

// The keys and values of a tile, as decoding multiplies them: keys streamed or broadcast from where they lie or are prepared, values where
// they lie or packed in memory of the thread's.
template <class Text>
class tile_operands {
  using Mechanism = typename Text::mechanism_type;
  using Tensors = typename Text::tensors_type;
  using Words = typename Tensors::words;
  using T = typename Words::compute;
  using shape = tile_shape<T>;
  using Head = key_head<Text>;
  using keys_of_head = decltype(std::declval<const Tensors&>().key.head(0, 0));
  using values_of_head = decltype(std::declval<const Tensors&>().value.head(0, 0));
  using streamed = streamed_keys<Words, Mechanism, keys_of_head>;
  using broadcast = broadcast_keys<Words, Mechanism, keys_of_head>;
  static constexpr bool streams_values = std::is_same_v<row_number<Words, values_of_head>, typename values_of_head::number>;

 public:
  explicit tile_operands(std::span<const Text> texts)
      : in_place_(streams_values && lies_ready<Words>(texts[0].tensors.value.head(0, 0))),
        depth_(padded_words_for<Words>(texts[0].mechanism.lengths.channels)),
        width_(round_up(texts[0].mechanism.lengths.value_channels, shape::lanes)),
        heads_side_by_side_(texts[0].tensors.key.heads_side_by_side()),
        tokens_are_rows_(texts[0].tensors.key.tokens_are_rows() && texts[0].tensors.value.tokens_are_rows()) {}

  // Whether two texts read the same keys and values, as they lie: those of a batch axis of stride 0,
  // or of the same pages.
  static bool share(const Text& one, const Text& other, interval keys) {
    return Mechanism::keeps_keys && one.tensors.key.shares(other.tensors.key, keys) &&
           one.tensors.value.shares(other.tensors.value, keys);
  }

  // Whether all heads of a tile lie before the next tile of the text.
  bool heads_side_by_side() const { return heads_side_by_side_; }
  // How many heads of a text pass a tile together, with at most so many rows each: where a token is one row, as many as take few enough
  // bytes.
  index_t side_by_side(const shapes& lengths, index_t rows) const {
    if (!tokens_are_rows_ || !in_place_ || !streams(rows)) return 1;
    const index_t of_head = shape::keys_side_by_side * lengths.channels * index_t(sizeof(typename keys_of_head::number));
    return std::clamp(shape::bytes_side_by_side / of_head, index_t(1), lengths.key_heads);
  }

  // What a thread works in, for at most so many rows.
  struct room {
    buffer<T> scratch, queries, scores, values;

    room(const tile_operands& of, const shapes& lengths, index_t most_rows)
        : scratch(std::size_t(std::max(shape::panel * padded_words_for<Words>(lengths.channels) * Words::per_word,
                                       packed_values_scratch<Words>(of.width_)))),
          queries(std::size_t(streams(most_rows) ? 0 : of.depth_ * round_up(most_rows, shape::lanes))),
          scores(std::size_t(streams(most_rows) ? 0 : shape::panel * round_up(most_rows, shape::lanes))),
          values(std::size_t(of.in_place_ ? 0 : tile_keys<Words>(lengths) * of.width_)) {}
  };

  // Appends where the keys lie that a tile needs of heads that pass it together, or the values: `first` are those that the tile reads
  // first. Values that are packed come before keys that are not.
  void append_first(std::span<const Head> heads, interval needed, buffer<memory_rows>& to) const {
    append(in_place_, heads, needed, to);
  }
  void append_second(std::span<const Head> heads, interval needed, buffer<memory_rows>& to) const {
    append(!in_place_, heads, needed, to);
  }

  // Calls attend(keys, values) with what heads that pass a tile together have of it, from key `first` on, for as many rows of each; the
  // kernel is compiled for their bases.
  template <class Attend>
  void with(room& own, std::span<const Head> heads, index_t first, interval needed, read_ahead& ahead, Attend attend) const {
    if constexpr (streams_values)
      if (of_one_text(heads)) return with_side_by_side(own, heads, ahead, attend);
    const Head& of = heads.front();
    const index_t rows = of.rows() * index_t(heads.size());
    const auto keys = of.text->tensors.key.head(0, of.head);
    if (streams(rows))
      with_values(own, streamed(of.text->mechanism, of.head, keys, own.scratch.data(), ahead), of, first, needed, ahead, attend);
    else
      with_values(
          own, broadcast(of.text->mechanism, of.head, keys, {own.queries.data(), own.scores.data(), own.scratch.data()}, ahead),
          of, first, needed, ahead, attend);
  }

 private:
  // Whether few enough rows share a key to multiply it in the registers that it is transposed in.
  static bool streams(index_t rows) { return rows <= shape::streamed_rows; }

  // Heads of several texts that pass a tile together read the same memory.
  static bool of_one_text(std::span<const Head> heads) { return heads.size() > 1 && heads[0].text == heads[1].text; }

  void append(bool keys, std::span<const Head> heads, interval needed, buffer<memory_rows>& to) const {
    const auto& tensors = heads.front().text->tensors;
    const index_t h = heads.front().head, side_by_side = of_one_text(heads) ? index_t(heads.size()) : 1;
    const auto append_wide = [&](auto head) {
      head.channels *= side_by_side;
      append_rows(head, needed, to);
    };
    keys ? append_wide(tensors.key.head(0, h)) : append_wide(tensors.value.head(0, h));
  }

  static void ask_first(read_ahead& ahead, index_t keys_at_once, index_t channels) {
    ahead.ask(shape::asked_ahead(keys_at_once * channels * index_t(sizeof(typename keys_of_head::number))));
  }

  template <class Attend>
  void with_side_by_side(room& own, std::span<const Head> heads, read_ahead& ahead, Attend attend) const {
    const Text& text = *heads.front().text;
    ask_first(ahead, shape::keys_side_by_side, index_t(heads.size()) * heads.front().lengths().channels);
    const auto keys_of = [&](index_t n, auto multiply) {
      const auto keys = text.tensors.key.head(0, heads[std::size_t(n)].head);
      multiply(streamed(text.mechanism, heads[std::size_t(n)].head, keys, own.scratch.data(), ahead));
    };
    const auto values_of = [&](index_t n, auto multiply) {
      const auto values = text.tensors.value.head(0, heads[std::size_t(n)].head);
      multiply(streamed_values<Words, values_of_head>(values, width_, ahead));
    };
    const side_by_side_keys<Words, decltype(keys_of)> keys(index_t(heads.size()), keys_of);
    const side_by_side_values<Words, decltype(values_of)> values(index_t(heads.size()), width_, values_of);
    attend(static_cast<const key_operand<Words>&>(keys), static_cast<const value_operand<Words>&>(values));
  }

  template <class Keys, class Attend>
  void with_values(room& own, const Keys& keys_of_tile, const Head& of, index_t first, interval needed, read_ahead& ahead,
                   Attend attend) const {
    const key_operand<Words>& keys = keys_of_tile;
    const auto values = of.text->tensors.value.head(0, of.head);
    ask_first(ahead, Keys::keys_at_once, of.lengths().channels);
    const auto attend_to = [&](const value_operand<Words>& rows) { attend(keys, rows); };
    if constexpr (streams_values)
      if (in_place_) return attend_to(streamed_values<Words, values_of_head>(values, width_, ahead));
    const by_key<T, Words::per_word> rows{own.values.data(), first, width_};
    for (index_t j = round_down(needed.first, Words::per_word); j < needed.last; j += Words::per_word) {
      ahead.ask(Words::per_word * values.channels * index_t(sizeof(typename values_of_head::number)));
      pack_values<Words>(values, j, rows.at(j), width_, own.scratch.data());
    }
    attend_to(cached_values<Words>({rows.data, rows.first, rows.stride}, width_));
  }

  bool in_place_;
  index_t depth_, width_;
  bool heads_side_by_side_, tokens_are_rows_;
};

}  // namespace detail
LONGSPAN_NAMESPACE_END

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

 public:
  explicit tile_operands(std::span<const Text> texts)
      : in_place_(in_place<Words>(texts[0].tensors.value.head(0, 0))),
        depth_(padded_words_for<Words>(texts[0].mechanism.lengths.channels)),
        width_(round_up(texts[0].mechanism.lengths.value_channels, shape::lanes)),
        heads_side_by_side_(texts[0].tensors.key.heads_side_by_side()) {}

  // Whether two texts read the same keys and values, as they lie: those of a batch axis of stride 0,
  // or of the same pages.
  static bool share(const Text& one, const Text& other, interval keys) {
    return Mechanism::keeps_keys && one.tensors.key.shares(other.tensors.key, keys) &&
           one.tensors.value.shares(other.tensors.value, keys);
  }

  // Whether all heads of a tile lie before the next tile of the text.
  bool heads_side_by_side() const { return heads_side_by_side_; }

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

  // Appends where the keys of a head lie that a tile needs, or the values: `first` are those that the tile reads first. Values that are
  // packed come before keys that are not.
  void append_first(const Head& of, interval needed, buffer<memory_rows>& to) const { append(in_place_, of, needed, to); }
  void append_second(const Head& of, interval needed, buffer<memory_rows>& to) const { append(!in_place_, of, needed, to); }

  // Calls attend(keys, values) with what a head has of the tile that begins at key `first`, for so many rows; the kernel is compiled for
  // their bases.
  template <class Attend>
  void with(room& own, const Head& of, index_t rows, index_t first, interval needed, read_ahead& ahead, Attend attend) const {
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

  void append(bool keys, const Head& of, interval needed, buffer<memory_rows>& to) const {
    const auto& tensors = of.text->tensors;
    keys ? append_rows(tensors.key.head(0, of.head), needed, to) : append_rows(tensors.value.head(0, of.head), needed, to);
  }

  template <class Keys, class Attend>
  void with_values(room& own, const Keys& keys_of_tile, const Head& of, index_t first, interval needed, read_ahead& ahead,
                   Attend attend) const {
    const key_operand<Words>& keys = keys_of_tile;
    const auto values = of.text->tensors.value.head(0, of.head);
    ahead.ask(shape::asked_ahead(Keys::keys_at_once * of.lengths().channels * index_t(sizeof(typename keys_of_head::number))));
    const auto attend_to = [&](const value_operand<Words>& rows) { attend(keys, rows); };
    if constexpr (std::is_same_v<T, typename values_of_head::number>)
      if (in_place_) return attend_to(streamed_values<values_of_head>(values, width_, ahead));
    const by_key<T, Words::per_word> rows{own.values.data(), first, width_};
    for (index_t j = round_down(needed.first, Words::per_word); j < needed.last; j += Words::per_word) {
      ahead.ask(Words::per_word * values.channels * index_t(sizeof(typename values_of_head::number)));
      pack_values<Words>(values, j, rows.at(j), width_, own.scratch.data());
    }
    attend_to(cached_values<Words>({rows.data, rows.first, rows.stride}, width_));
  }

  bool in_place_;
  index_t depth_, width_;
  bool heads_side_by_side_;
};

}  // namespace detail
LONGSPAN_NAMESPACE_END

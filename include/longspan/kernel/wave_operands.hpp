#pragma once

#include <algorithm>
#include <span>
#include <type_traits>

#include <longspan/core/interval.hpp>
#include <longspan/kernel/key_head.hpp>
#include <longspan/kernel/pack_values.hpp>
#include <longspan/kernel/packed_keys.hpp>
#include <longspan/kernel/value_rows.hpp>
#include <longspan/kernel/wave.hpp>
#include <longspan/tile/buffer.hpp>
#include <longspan/tile/by_key.hpp>
#include <longspan/tile/read_ahead.hpp>
#include <longspan/tile/shape.hpp>

LONGSPAN_NAMESPACE_BEGIN
namespace detail {

// The keys and values of a wave of a prefill, as the kernel multiplies them: keys prepared and packed in memory of the wave's, values where
// they lie in the tensor if the products can read them there, or packed too. A wave is as many key heads as take wave_words (tile/
// shape.hpp) or the memory of the longest for each thread, so that the memory does not grow with heads and texts.
template <class Text>
class wave_operands {
  using Tensors = typename Text::tensors_type;
  using Words = typename Tensors::words;
  using T = typename Words::compute;
  using shape = tile_shape<T>;
  using Head = key_head<Text>;

 public:
  wave_operands(std::span<const Text> texts, const wave<Text>& heads, index_t threads)
      : heads_(heads),
        in_place_(std::ranges::all_of(texts, [](const Text& each) { return side_by_side(each.tensors.value.head(0, 0)); })),
        depth_(words_for<Words>(texts[0].mechanism.lengths.channels)),
        width_(round_up(texts[0].mechanism.lengths.value_channels, shape::lanes)),
        room_(heads.room_for(threads, size, shape::wave_words / (depth_ + (in_place_ ? 0 : width_ / Words::per_word)))),
        keys_(std::size_t(packed_keys<Words>::size(room_, depth_))),
        values_(std::size_t(in_place_ ? 0 : packed_values_size<Words>(room_, width_))) {
    const index_t scratch =
        std::max(shape::panel * padded_words_for<Words>(texts[0].mechanism.lengths.channels) * Words::per_word,
                 in_place_ ? 0 : packed_values_scratch<Words>(width_));
    for (index_t t = 0; t < threads; ++t) scratch_.emplace_back(std::size_t(scratch));
  }

  // The room for a wave, and what a head takes of it.
  index_t room() const { return room_; }
  static index_t size(const Head& head) { return round_up(head.lengths().keys, shape::panel); }

  // Makes room for the heads of the next wave.
  void begin() {
    first_key_.clear(), panels_.clear();
    index_t keys = 0;
    for (index_t w = 0; w < heads_.size(); keys += size(heads_[w++])) {
      first_key_.push_back(keys);
      panels_.add(w, {0, size(heads_[w]) / shape::panel});
    }
    panels_.first_pieces_first();
  }

  // What is to be prepared before the first row attends: a panel of keys of a head. One that no row sees stays unread.
  index_t items() const { return panels_.count(); }
  void prepare(index_t thread, index_t item) {
    const auto [w, panel] = panels_[item];
    const auto& [text, g] = heads_[w];
    const index_t first = panel * shape::panel, last = std::min(first + shape::panel, heads_[w].lengths().keys);
    if (text->mechanism.seen->needed(g, {first, last}).empty()) return;
    T* const scratch = scratch_[std::size_t(thread)].data();
    keys(w).pack(text->mechanism, g, text->tensors.key.head(0, g), first, scratch, nothing_ahead{});
    if (in_place_) return;
    const by_key<T, Words::per_word> rows{packed_values(w), 0, width_};
    for (index_t j = first; j < last; j += Words::per_word)
      pack_values<Words>(text->tensors.value.head(0, g), j, rows.at(j), width_, scratch);
  }

  packed_keys<Words> keys(index_t w) {
    return {keys_.data() + packed_keys<Words>::size(first_key_[std::size_t(w)], depth_), 0, depth_};
  }
  cached_values<Words> values(index_t w) {
    const auto value = heads_[w].text->tensors.value.head(0, heads_[w].head);
    if constexpr (std::is_same_v<const T*, decltype(value.row(0))>)
      if (in_place_) return {{value.tokens > 0 ? value.row(0) : nullptr, 0, value.token_stride}, width_};
    return {{packed_values(w), 0, width_}, width_};
  }

 private:
  // Whether the values of a text can be read where they lie, one behind the other: those in one page of several texts may be, and others
  // not.
  template <head_rows Head>
  static bool side_by_side(const Head& values) {
    return Words::per_word == 1 && is_words<Words>(values) && values.token_stride == values.channels &&
           values.together_until(0) >= values.tokens;
  }
  T* packed_values(index_t w) { return values_.data() + packed_values_size<Words>(first_key_[std::size_t(w)], width_); }

  const wave<Text>& heads_;
  bool in_place_;
  index_t depth_, width_, room_;
  buffer<index_t> first_key_;  // of each head of the wave, where its prepared keys begin
  wave_items panels_;
  buffer<T> keys_, values_;
  buffer<buffer<T>> scratch_;
};

}  // namespace detail
LONGSPAN_NAMESPACE_END

#pragma once

#include <algorithm>
#include <span>
#include <type_traits>

#include <longspan/core/device.hpp>
#include <longspan/core/interval.hpp>
#include <longspan/kernel/key_head.hpp>
#include <longspan/kernel/pack_values.hpp>
#include <longspan/kernel/packed_keys.hpp>
#include <longspan/kernel/query_tile.hpp>
#include <longspan/kernel/value_rows.hpp>
#include <longspan/kernel/wave.hpp>
#include <longspan/tile/buffer.hpp>
#include <longspan/tile/read_ahead.hpp>
#include <longspan/tile/shape.hpp>

LONGSPAN_NAMESPACE_BEGIN
namespace detail {

// The forward pass of texts whose keys are read by many query rows. They are worked off in waves: as many key heads at once as take the
// memory of the longest for each thread, so that the memory for prepared keys does not grow with heads and texts. A wave is two rounds of
// items for any number of threads: first every panel of keys is prepared, then every tile of query rows attends. Query heads that share a
// key head share its tiles; their rows follow each other position by position, so that the edge of a tile along a causal mask is as narrow
// as can be.
template <class Text>
class prefill_wave {
  using Tensors = typename Text::tensors_type;
  using Words = typename Tensors::words;
  using T = typename Words::compute;
  using shape = tile_shape<T>;
  using Head = key_head<Text>;

 public:
  prefill_wave(std::span<const Text> texts, index_t threads)
      : heads_(texts),
        in_place_(in_place<Words>(texts[0].tensors.value.head(0, 0)) &&
                  texts[0].tensors.value.stride[2] == texts[0].tensors.value.extent[3]),
        depth_(words_for<Words>(texts[0].mechanism.lengths.channels)),
        width_(round_up(texts[0].mechanism.lengths.value_channels, shape::lanes)),
        room_(heads_.room_for(threads, padded_keys)),
        keys_(std::size_t(packed_keys<Words>::size(room_, depth_))),
        values_(std::size_t(in_place_ ? 0 : packed_values_size<Words>(room_, width_))) {
    const index_t scratch =
        std::max(shape::panel * padded_words_for<Words>(texts[0].mechanism.lengths.channels) * Words::per_word,
                 in_place_ ? 0 : packed_values_scratch<Words>(width_));
    for (index_t t = 0; t < threads; ++t)
      tiles_.emplace_back(texts[0].mechanism.lengths, heads_.largest(padded_keys), shape::block::rows),
          scratch_.emplace_back(std::size_t(scratch));
  }

  // Moves on to the next key heads. Returns whether there are any.
  bool next() {
    if (!heads_.next(room_, padded_keys)) return false;
    first_key_.clear(), panels_.clear(), row_tiles_.clear();
    index_t keys = 0;
    for (index_t w = 0; w < heads_.size(); keys += padded_keys(heads_[w++])) {
      first_key_.push_back(keys);
      panels_.add(w, {0, padded_keys(heads_[w]) / shape::panel});
      row_tiles_.add(w, {0, round_up(heads_[w].rows(), shape::query_rows) / shape::query_rows});
    }
    panels_.first_pieces_first();
    row_tiles_.last_pieces_first();  // under a causal mask they see the most keys: the small ones fill the threads' last gaps
    return true;
  }

  index_t panels() const { return panels_.count(); }
  index_t tiles() const { return row_tiles_.count(); }

  // A panel that no row sees stays unread.
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

  void attend(index_t thread, index_t item) {
    const auto [w, tile_of_head] = row_tiles_[item];
    const index_t first = tile_of_head * shape::query_rows;
    auto& tile = tiles_[std::size_t(thread)];
    tile.begin(heads_[w], {first, std::min(first + shape::query_rows, heads_[w].rows())});
    tile.attend(keys(w), values(w));
    tile.finish();
  }

 private:
  static index_t padded_keys(const Head& head) { return round_up(head.lengths().keys, shape::panel); }

  packed_keys<Words> keys(index_t w) {
    return {keys_.data() + packed_keys<Words>::size(first_key_[std::size_t(w)], depth_), 0, depth_};
  }
  T* packed_values(index_t w) { return values_.data() + packed_values_size<Words>(first_key_[std::size_t(w)], width_); }
  cached_values<Words> values(index_t w) {
    const auto& value = heads_[w].text->tensors.value;
    if constexpr (std::is_same_v<const T*, decltype(value.data)>)
      if (in_place_) return {{value.head(0, heads_[w].head).data, 0, value.stride[2]}, width_};
    return {{packed_values(w), 0, width_}, width_};
  }

  wave<Text> heads_;
  bool in_place_;
  index_t depth_, width_, room_;
  buffer<index_t> first_key_;  // of each head of the wave, where its prepared keys begin
  wave_items panels_, row_tiles_;
  buffer<T> keys_, values_;
  buffer<buffer<T>> scratch_;
  buffer<query_tile<Text>> tiles_;
};

template <device D, class Text>
void prefill(const D& d, std::span<const Text> texts) {
  if (texts.empty()) return;
  prefill_wave<Text> wave(texts, detail::threads_of(d));
  while (wave.next()) {
    detail::for_each_item(d, wave.panels(), [&](index_t thread, index_t item) { wave.prepare(thread, item); });
    detail::for_each_item(d, wave.tiles(), [&](index_t thread, index_t item) { wave.attend(thread, item); });
  }
}

}  // namespace detail
LONGSPAN_NAMESPACE_END

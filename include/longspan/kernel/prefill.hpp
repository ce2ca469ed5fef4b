#pragma once

#include <algorithm>
#include <type_traits>

#include <longspan/core/device.hpp>
#include <longspan/core/interval.hpp>
#include <longspan/core/shapes.hpp>
#include <longspan/kernel/key_head.hpp>
#include <longspan/kernel/pack_values.hpp>
#include <longspan/kernel/packed_keys.hpp>
#include <longspan/kernel/query_tile.hpp>
#include <longspan/kernel/value_rows.hpp>
#include <longspan/tile/buffer.hpp>
#include <longspan/tile/read_ahead.hpp>
#include <longspan/tile/shape.hpp>

LONGSPAN_NAMESPACE_BEGIN
namespace detail {

// The forward pass of a call whose keys are read by many query rows. A call is worked off in waves: as many key heads at once as there are
// threads, so that the memory for prepared keys does not grow with the heads. A wave is two rounds of items for any number of threads:
// first every panel of keys is prepared, then every tile of query rows attends. Query heads that share a key head share its tiles; their
// rows follow each other position by position, so that the edge of a tile along a causal mask is as narrow as can be.
template <class Mechanism, class Tensors>
class prefill_wave {
  using Words = typename Tensors::words;
  using T = typename Words::compute;
  using shape = tile_shape<T>;

 public:
  prefill_wave(const Mechanism& mechanism, const Tensors& tensors, index_t heads_at_once, index_t threads)
      : mechanism_(mechanism),
        tensors_(tensors),
        in_place_(in_place<Words>(tensors.value.head(0, 0)) && tensors.value.stride[2] == tensors.value.extent[3]),
        depth_(words_for<Words>(mechanism.lengths.channels)),
        width_(round_up(mechanism.lengths.value_channels, shape::lanes)),
        keys_(std::size_t(heads_at_once * key_size())),
        values_(std::size_t(in_place_ ? 0 : heads_at_once * value_size())) {
    const index_t scratch = std::max(shape::panel * padded_words_for<Words>(mechanism.lengths.channels) * Words::per_word,
                                     in_place_ ? 0 : packed_values_scratch<Words>(width_));
    for (index_t t = 0; t < threads; ++t)
      tiles_.emplace_back(mechanism, shape::block::rows), scratch_.emplace_back(std::size_t(scratch));
  }

  // Moves on to `count` key heads from `first`, counted through the batch.
  void begin(index_t first, index_t count) { first_ = first, count_ = count; }

  index_t panels() const { return count_ * (round_up(mechanism_.lengths.keys, shape::panel) / shape::panel); }
  index_t tiles() const { return count_ * tiles_of_head(); }

  // A panel that no row sees stays unread.
  void prepare(index_t thread, index_t item) {
    const index_t w = item % count_;
    const auto [b, g] = head(w);
    const index_t first = item / count_ * shape::panel, last = std::min(first + shape::panel, mechanism_.lengths.keys);
    if (mechanism_.seen.needed(b, g, {first, last}).empty()) return;
    T* const scratch = scratch_[std::size_t(thread)].data();
    keys(w).pack(mechanism_, head(w), tensors_.key.head(b, g), first, scratch, nothing_ahead{});
    if (in_place_) return;
    const by_key<T, Words::per_word> rows{packed_values(w), 0, width_};
    for (index_t j = first; j < last; j += Words::per_word)
      pack_values<Words>(tensors_.value.head(b, g), j, rows.at(j), width_, scratch);
  }

  // Tiles come last rows first: under a causal mask they see the most keys, and the small ones fill the threads' last gaps.
  void attend(index_t thread, index_t item) {
    const index_t w = item % count_, first = (tiles_of_head() - 1 - item / count_) * shape::query_rows;
    auto& tile = tiles_[std::size_t(thread)];
    tile.begin(tensors_.query, head(w), {first, std::min(first + shape::query_rows, key_head::rows(mechanism_.lengths))});
    tile.attend(keys(w), values(w));
    tile.finish(tensors_);
  }

 private:
  key_head head(index_t w) const { return key_head::nth(mechanism_.lengths, first_ + w); }

  packed_keys<Words> keys(index_t w) { return {keys_.data() + w * key_size(), 0, depth_}; }
  T* packed_values(index_t w) { return values_.data() + w * value_size(); }
  cached_values<Words> values(index_t w) {
    if constexpr (std::is_same_v<const T*, decltype(tensors_.value.data)>)
      if (in_place_) return {{tensors_.value.head(head(w).batch, head(w).head).data, 0, tensors_.value.stride[2]}, width_};
    return {{packed_values(w), 0, width_}, width_};
  }

  index_t key_size() const { return packed_keys<Words>::size(mechanism_.lengths.keys, depth_); }
  index_t value_size() const { return packed_values_size<Words>(mechanism_.lengths.keys, width_); }
  index_t tiles_of_head() const { return round_up(key_head::rows(mechanism_.lengths), shape::query_rows) / shape::query_rows; }

  const Mechanism& mechanism_;
  const Tensors& tensors_;
  bool in_place_;
  index_t depth_, width_;
  buffer<T> keys_, values_;
  buffer<buffer<T>> scratch_;
  buffer<query_tile<Words, Mechanism>> tiles_;
  index_t first_ = 0, count_ = 0;
};

template <device D, class Mechanism, class Tensors>
void prefill(const D& d, const Mechanism& mechanism, const Tensors& tensors) {
  const index_t heads = mechanism.lengths.batch * mechanism.lengths.key_heads, at_once = std::min(heads, detail::threads_of(d));
  prefill_wave wave(mechanism, tensors, at_once, detail::threads_of(d));
  for (index_t first = 0; first < heads; first += at_once) {
    wave.begin(first, std::min(at_once, heads - first));
    detail::for_each_item(d, wave.panels(), [&](index_t thread, index_t item) { wave.prepare(thread, item); });
    detail::for_each_item(d, wave.tiles(), [&](index_t thread, index_t item) { wave.attend(thread, item); });
  }
}

}  // namespace detail
LONGSPAN_NAMESPACE_END

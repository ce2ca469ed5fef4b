#pragma once

#include <algorithm>
#include <span>

#include <longspan/core/interval.hpp>
#include <longspan/kernel/backward_block.hpp>
#include <longspan/kernel/packed_keys.hpp>
#include <longspan/kernel/prepare_row.hpp>
#include <longspan/kernel/unprepare_row.hpp>
#include <longspan/simd/words.hpp>
#include <longspan/tensor/view.hpp>
#include <longspan/tile/buffer.hpp>
#include <longspan/tile/by_key.hpp>
#include <longspan/tile/read_ahead.hpp>
#include <longspan/tile/shape.hpp>

LONGSPAN_NAMESPACE_BEGIN
namespace detail {

// A tile of keys in the backward pass, which takes query rows past it. One for each thread, with the memory it works in. `Rounded` are the
// words that the forward pass multiplied.
template <class Rounded, class Mechanism, class Row>
class key_tile {
  using T = typename Rounded::compute;
  using Words = number_words<T>;
  using shape = tile_shape<T>;

 public:
  explicit key_tile(const Mechanism& mechanism)
      : mechanism_(mechanism),
        depth_(round_up(mechanism.lengths.channels, shape::lanes)),
        width_(round_up(mechanism.lengths.value_channels, shape::lanes)),
        rows_(std::size_t(shape::backward_key_rows * depth_)),
        panels_(rows_.size()),
        d_key_(rows_.size()),
        value_panels_(std::size_t(shape::backward_key_rows * width_)),
        d_value_(value_panels_.size()),
        scratch_(std::size_t(std::max(shape::panel * width_, detail::room_of(mechanism)))) {}

  // Takes up the keys from `tile.first` on, at most as many as a tile holds.
  template <class K, class V>
  void begin(const head_view<const K>& keys, const head_view<const V>& values, interval tile) {
    tile_ = tile;
    const interval padded{tile.first, tile.first + round_up(tile.size(), shape::panel)};
    std::fill(d_key_.data(), d_key().at(padded.last), T(0));
    std::fill(d_value_.data(), d_value().at(padded.last), T(0));
    for (index_t j = padded.first; j < padded.last; j += shape::panel) {
      pack(keys, j, key_rows().at(j), depth_, key_panels(), [&](std::span<T> row, index_t token) {
        mechanism_.key(row, mechanism_.lengths.first_key + token);
        detail::round_row<Rounded>(row);
      });
      pack(values, j, scratch_.data(), width_, value_panels(), [](std::span<T>, index_t) {});
    }
  }

  // Takes some query rows past the keys.
  void differentiate(const backward_queries<T, Row>& queries) {
    const by_key<const T> key{rows_.data(), tile_.first, depth_};
    block_.differentiate(queries, {key_panels(), value_panels(), key, d_key(), d_value()}, tile_);
  }

  // Hands over the gradients of the keys and their values.
  template <class K, class DK, class DV>
  void finish(const head_view<const K>& keys, const head_view<DK>& d_keys, const head_view<DV>& d_values) {
    for (index_t j = tile_.first; j < tile_.last; ++j) {
      const std::span<T> gradient(d_key().at(j), std::size_t(keys.channels));
      unprepare_row(keys, j, gradient, d_keys.row(j), d_keys.channel_stride, scratch_.data(),
                    [&](std::span<const T> unprepared, T* scratch) {
                      mechanism_.key_back(unprepared, gradient, mechanism_.lengths.first_key + j, scratch);
                    });
      copy_row(d_value().at(j), 1, d_values.row(j), d_values.channel_stride, d_values.channels);
    }
  }

 private:
  // The tokens of one panel from `first` on, as rows of whole batches, those beyond the last zeros, and transposed.
  template <class S, class Prepare>
  void pack(const head_view<const S>& tokens, index_t first, T* rows, index_t stride, const packed_keys<Words>& panels,
            Prepare prepare) {
    for (index_t j = 0; j < shape::panel; ++j) {
      const index_t token = first + j;
      if (token < tile_.last)
        prepare_row<Words>(tokens, token, rows + j * stride, [&](std::span<T> row) { prepare(row, token); });
      else
        std::fill(rows + j * stride, rows + (j + 1) * stride, T(0));
    }
    panels.transpose(rows, stride, first, nothing_ahead{});
  }

  packed_keys<Words> key_panels() { return {panels_.data(), tile_.first, mechanism_.lengths.channels}; }
  packed_keys<Words> value_panels() { return {value_panels_.data(), tile_.first, mechanism_.lengths.value_channels}; }
  by_key<T> key_rows() { return {rows_.data(), tile_.first, depth_}; }
  by_key<T> d_key() { return {d_key_.data(), tile_.first, depth_}; }
  by_key<T> d_value() { return {d_value_.data(), tile_.first, width_}; }

  const Mechanism& mechanism_;
  index_t depth_, width_;
  interval tile_;
  buffer<T> rows_, panels_, d_key_, value_panels_, d_value_, scratch_;
  backward_block<T, Row> block_;
};

}  // namespace detail
LONGSPAN_NAMESPACE_END

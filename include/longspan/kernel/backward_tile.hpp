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
#include <longspan/tile/read_ahead.hpp>
#include <longspan/tile/shape.hpp>

LONGSPAN_NAMESPACE_BEGIN

// A tile of keys in the backward pass, with the kernel that takes query rows past it: one per thread.
template <class T, class Mechanism, class Row>
class backward_tile {
  using Words = number_words<T>;
  using shape = tile_shape<T>;

 public:
  explicit backward_tile(const Mechanism& mechanism)
      : mechanism_(mechanism),
        depth_(round_up(mechanism.call.channels, shape::lanes)),
        width_(round_up(mechanism.call.value_channels, shape::lanes)),
        rows_(std::size_t(shape::backward_key_rows * depth_)),
        panels_(rows_.size()),
        d_key_(rows_.size()),
        value_panels_(std::size_t(shape::backward_key_rows * width_)),
        d_value_(value_panels_.size()),
        scratch_(std::size_t(std::max(shape::panel * width_, room_of(mechanism)))) {}

  // Moves to the keys from `tile.first` on, at most as many as a tile holds.
  template <class K, class V>
  void begin(const head_view<const K>& keys, const head_view<const V>& values, interval tile) {
    tile_ = tile;
    const index_t padded = round_up(tile.size(), shape::panel);
    std::fill(d_key_.begin(), d_key_.begin() + padded * depth_, T(0));
    std::fill(d_value_.begin(), d_value_.begin() + padded * width_, T(0));
    for (index_t j = 0; j < padded; j += shape::panel) {
      pack(keys, j, rows_.data() + j * depth_, depth_, panels_.data(),
           [&](std::span<T> row, index_t token) { mechanism_.key(row, mechanism_.call.first_key + token); });
      pack(values, j, scratch_.data(), width_, value_panels_.data(), [](std::span<T>, index_t) {});
    }
  }

  // Takes some query rows past the keys.
  void differentiate(const backward_queries<T, Row>& of) {
    const T* const key = rows_.data() - tile_.first * depth_;
    const backward_keys<T> keys{
        {panels_.data() - tile_.first * mechanism_.call.channels, mechanism_.call.channels},
        {value_panels_.data() - tile_.first * mechanism_.call.value_channels, mechanism_.call.value_channels},
        key,
        d_key_.data() - tile_.first * depth_,
        d_value_.data() - tile_.first * width_};
    for (index_t j = tile_.first; j < tile_.last; j += shape::panel)
      block_.differentiate(of, keys, {j, std::min(j + shape::panel, tile_.last)});
  }

  // Hands over the gradients of the keys and their values.
  template <class K, class DK, class DV>
  void finish(const head_view<const K>& keys, const head_view<DK>& d_keys, const head_view<DV>& d_values) {
    for (index_t j = tile_.first; j < tile_.last; ++j) {
      const std::span<T> gradient(d_key_.data() + (j - tile_.first) * depth_, std::size_t(keys.channels));
      unprepare_row(keys, j, gradient, d_keys.row(j), d_keys.channel_stride, scratch_.data(),
                    [&](std::span<const T> unprepared, T* scratch) {
                      mechanism_.key_back(unprepared, gradient, mechanism_.call.first_key + j, scratch);
                    });
      copy_row(d_value_.data() + (j - tile_.first) * width_, 1, d_values.row(j), d_values.channel_stride, d_values.channels);
    }
  }

 private:
  // Tokens of one panel as rows of whole batches, those beyond the last zeros, and transposed.
  template <class S, class Prepare>
  void pack(const head_view<const S>& tokens, index_t first, T* rows, index_t stride, T* panels, Prepare prepare) {
    for (index_t j = 0; j < shape::panel; ++j) {
      const index_t token = tile_.first + first + j;
      if (token < tile_.last)
        prepare_row<Words>(tokens, token, rows + j * stride, [&](std::span<T> row) { prepare(row, token); });
      else
        std::fill(rows + j * stride, rows + (j + 1) * stride, T(0));
    }
    packed_keys<Words>{panels, tokens.channels}.transpose(rows, stride, first, nothing_ahead{});
  }

  const Mechanism& mechanism_;
  index_t depth_, width_;
  interval tile_;
  buffer<T> rows_, panels_, d_key_, value_panels_, d_value_, scratch_;
  backward_block<T, Row> block_;
};

LONGSPAN_NAMESPACE_END

#pragma once

#include <algorithm>
#include <span>

#include <longspan/core/interval.hpp>
#include <longspan/kernel/backward_block.hpp>
#include <longspan/kernel/key_head.hpp>
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

// A tile of keys in the backward pass, which takes query rows past it. One for each thread, with the memory it works in.
template <class Text, class Row>
class key_tile {
  using Mechanism = typename Text::mechanism_type;
  using T = typename Text::tensors_type::compute;
  using Words = number_words<T>;
  using shape = tile_shape<T>;

 public:
  // For the texts of a call, of which `mechanism` is that of any.
  explicit key_tile(const Mechanism& mechanism)
      : depth_(round_up(mechanism.lengths.channels, shape::lanes)),
        width_(round_up(mechanism.lengths.value_channels, shape::lanes)),
        rows_(std::size_t(shape::backward_key_rows * depth_)),
        panels_(rows_.size()),
        d_key_(rows_.size()),
        value_panels_(std::size_t(shape::backward_key_rows * width_)),
        d_value_(value_panels_.size()),
        sums_(std::size_t(mechanism.transforms.tile_sums() * mechanism.lengths.group())),
        scratch_(std::size_t(std::max(shape::panel * width_, detail::room_of(mechanism)))) {}

  // Takes up some keys of a head, at most as many as a tile holds.
  void begin(const key_head<Text>& head, interval tile) {
    head_ = head, tile_ = tile;
    const Mechanism& mechanism = head.text->mechanism;
    const interval padded{tile.first, tile.first + round_up(tile.size(), shape::panel)};
    std::fill(d_key_.data(), d_key().at(padded.last), T(0));
    std::fill(d_value_.data(), d_value().at(padded.last), T(0));
    std::fill(sums_.begin(), sums_.end(), T(0));
    for (index_t j = padded.first; j < padded.last; j += shape::panel) {
      pack(head.text->tensors.key.head(0, head.head), j, key_rows().at(j), depth_, key_panels(),
           [&](std::span<T> row, index_t token) {
             mechanism.key(row, mechanism.key_token(head.head, token));
             detail::round_row<typename Text::tensors_type::words>(row);  // as the forward pass multiplied them
           });
      pack(head.text->tensors.value.head(0, head.head), j, scratch_.data(), width_, value_panels(), [](std::span<T>, index_t) {});
    }
  }

  // Takes some query rows past the keys.
  void differentiate(const backward_queries<T, Row>& queries) {
    const by_key<const T> key{rows_.data(), tile_.first, depth_};
    const summed_by_tile<T> sums{sums_.data(), head_.text->mechanism.transforms.tile_sums(),
                                 head_.head * head_.lengths().group()};
    block_.differentiate(queries, {key_panels(), value_panels(), key, d_key(), d_value(), sums}, tile_);
  }

  // Adds what transforms summed to sums of all tiles.
  void add_sums(double* of_all) const {
    for (std::size_t n = 0; n < sums_.size(); ++n) of_all[n] += double(sums_[n]);
  }

  // Hands over the gradients of the keys and their values. `sums` takes what row parts learn.
  void finish(std::span<double> sums) {
    const auto& tensors = head_.text->tensors;
    const Mechanism& mechanism = head_.text->mechanism;
    const auto keys = tensors.key.head(0, head_.head);
    const auto d_keys = tensors.d_key.head(0, head_.head);
    const auto d_values = tensors.d_value.head(0, head_.head);
    for (index_t j = tile_.first; j < tile_.last; ++j) {
      const std::span<T> gradient(d_key().at(j), std::size_t(keys.channels));
      unprepare_row(keys, j, gradient, d_keys.row(j), d_keys.channel_stride, scratch_.data(),
                    [&](std::span<const T> unprepared, T* scratch) {
                      mechanism.key_back(unprepared, gradient, mechanism.key_token(head_.head, j), scratch, sums);
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

  packed_keys<Words> key_panels() { return {panels_.data(), tile_.first, head_.lengths().channels}; }
  packed_keys<Words> value_panels() { return {value_panels_.data(), tile_.first, head_.lengths().value_channels}; }
  by_key<T> key_rows() { return {rows_.data(), tile_.first, depth_}; }
  by_key<T> d_key() { return {d_key_.data(), tile_.first, depth_}; }
  by_key<T> d_value() { return {d_value_.data(), tile_.first, width_}; }

  key_head<Text> head_{};
  index_t depth_, width_;
  interval tile_;
  buffer<T> rows_, panels_, d_key_, value_panels_, d_value_, sums_, scratch_;
  backward_block<T, Row> block_;
};

}  // namespace detail
LONGSPAN_NAMESPACE_END

#pragma once

#include <algorithm>
#include <span>
#include <type_traits>

#include <longspan/core/at_hand.hpp>
#include <longspan/core/interval.hpp>
#include <longspan/core/key_set.hpp>
#include <longspan/kernel/forward_block.hpp>
#include <longspan/kernel/forward_row.hpp>
#include <longspan/kernel/key_head.hpp>
#include <longspan/kernel/prepare_row.hpp>
#include <longspan/simd/row.hpp>
#include <longspan/tensor/view.hpp>
#include <longspan/tile/buffer.hpp>
#include <longspan/tile/panel_sets.hpp>
#include <longspan/tile/shape.hpp>

LONGSPAN_NAMESPACE_BEGIN
namespace detail {

// A tile of query rows that share a key head, in the forward pass: it takes them past tiles of keys, `block` of them at a time. One for
// each thread, with the memory it works in.
template <class Text>
class query_tile {
  using Mechanism = typename Text::mechanism_type;
  using Words = typename Text::tensors_type::words;
  using T = typename Words::compute;
  using Batch = batch<T>;
  using shape = tile_shape<T>;
  using Row = forward_row<Words, Mechanism>;
  // Rows whose keys are one interval see something of nearly every tile between the first and the last: the others are looked at.
  static constexpr bool may_skip = !std::is_same_v<typename Row::Seen, at_hand<interval>>;

 public:
  // For texts of at most so many keys; `lengths` are those of any of them.
  query_tile(const shapes& lengths, index_t most_keys, index_t block)
      : block_(block),
        key_rows_(tile_keys<Words>(lengths)),
        depth_(padded_words_for<Words>(lengths.channels)),
        width_(round_up(lengths.value_channels, shape::lanes)),
        query_(std::size_t(shape::query_rows * depth_ * Words::per_word)),
        output_(std::size_t(shape::query_rows * width_)),
        needed_(1, may_skip ? most_keys : 0),
        kernel_(lengths, block) {
    rows_.reserve(std::size_t(shape::query_rows));
  }

  // Takes up some rows of a key head: their channels, prepared, and what they see.
  void begin(const key_head<Text>& head, interval rows) {
    text_ = head.text;
    rows_.clear();
    if (may_skip) needed_.clear();
    append(head, rows);
  }
  // And some of another that reads the same keys. Whoever delivers parts knows the first row of each.
  void append(const key_head<Text>& head, interval rows) {
    for (index_t row = rows.first; row < rows.last; ++row) add(*head.text, head.query_head(row), head.query(row));
  }

  // Attends to the keys that some row sees, tile by tile. Tiles begin at multiples of their length, whoever asks.
  template <class Keys, class Values>
  void attend(const Keys& keys, const Values& values) {
    interval seen;
    for (const Row& row : rows_) seen = hull(seen, row.hull);
    for (index_t tile = round_down(seen.first, key_rows_); tile < seen.last; tile += key_rows_)
      if (!may_skip || !needed_.needed(0, intersect(seen, {tile, tile + key_rows_})).empty())
        attend(keys, values, tile, [&](index_t r, const softmax_part<T>& part, const T* output) { merge(r, part, output); });
  }

  // Attends to the tile of keys that begins at key `tile`, and delivers the part of each row that sees one of them.
  template <class Keys, class Values, class Deliver>
  void attend(const Keys& keys, const Values& values, index_t tile, Deliver deliver) {
    for (index_t r = 0; r < index_t(rows_.size()); r += block_) {
      const auto rows =
          std::span<const Row>(rows_).subspan(std::size_t(r), std::size_t(std::min(block_, index_t(rows_.size()) - r)));
      if (!kernel_.attend(rows, query_.data() + r * depth_, depth_, keys, values, tile)) continue;
      for (index_t i = 0; i < index_t(rows.size()); ++i)
        if (kernel_.sees(i)) deliver(r + i, kernel_.part(i), kernel_.output(i));
    }
  }

  // Whether row r sees a key of the tile that begins at key `tile`.
  bool sees(index_t r, index_t tile) const {
    for (index_t key = tile; key < tile + key_rows_; key += panel_keys)
      if (rows_[std::size_t(r)].seen.bits(key) != 0) return true;
    return false;
  }

  // Takes the part of a tile into the softmax and the output of row r.
  void merge(index_t r, const softmax_part<T>& part, const T* of_part) {
    Row& row = rows_[std::size_t(r)];
    row.attended = true;
    const auto share = row.softmax.merge(part);
    T* const to = output(r);
    for (index_t c = 0; c < width_; c += shape::lanes)
      simd::store(to + c, simd::multiply_add(simd::load<Batch>(to + c), Batch(share.before),
                                             simd::load<Batch>(of_part + c) * Batch(share.part)));
  }

  // Finishes every row: divides by the sum of its weights and hands over its output and, where it is kept, its log-sum-exp.
  void finish() {
    const auto& tensors = text_->tensors;
    for (index_t r = 0; r < index_t(rows_.size()); ++r) {
      const Row& row = rows_[std::size_t(r)];
      const auto outputs = tensors.output.head(0, row.told.head);
      if (row.attended && row.softmax.sum() != 0)  // 0 where every logit is -infinity
        simd::scale(std::span(output(r), std::size_t(width_)), 1 / row.softmax.sum());
      if constexpr (requires { tensors.finish(std::span<T>()); })
        tensors.finish(std::span(output(r), std::size_t(outputs.channels)));
      copy_row(output(r), 1, outputs.row(row.query), outputs.channel_stride, outputs.channels);
      if (tensors.keeps_log_sum_exp()) *tensors.log_sum_exp.head(0, row.told.head).row(row.query) = row.softmax.log_sum_exp();
    }
  }

 private:
  void add(const Text& text, index_t h, index_t i) {
    const Mechanism& mechanism = text.mechanism;
    const index_t r = index_t(rows_.size());
    rows_.emplace_back(mechanism, h, i);
    const Row& row = rows_.back();
    if constexpr (may_skip)
      detail::for_each_piece(row.seen, {0, mechanism.lengths.keys}, [&](interval piece, index_t) { needed_.add(0, piece); });
    prepare_row<Words>(text.tensors.query.head(0, h), i, query_.data() + r * depth_, [&](std::span<T> channels) {
      mechanism.query(channels, mechanism.query_token(row.told));
      if constexpr (requires { text.tensors.begin(channels); }) text.tensors.begin(channels);
      if constexpr (Row::factor_in_query) simd::scale(channels, T(row.logits.factor.value));
    });
    std::fill(output(r), output(r + 1), T(0));
  }

  T* output(index_t r) { return output_.data() + r * width_; }

  const Text* text_ = nullptr;
  index_t block_, key_rows_, depth_, width_;
  buffer<T> query_, output_;
  buffer<Row> rows_;
  panel_sets needed_;
  forward_block<Words, Row> kernel_;
};

}  // namespace detail
LONGSPAN_NAMESPACE_END

#pragma once

#include <algorithm>
#include <span>

#include <longspan/core/interval.hpp>
#include <longspan/kernel/key_operand.hpp>
#include <longspan/kernel/prepare_row.hpp>
#include <longspan/tensor/view.hpp>
#include <longspan/tile/multiply_broadcast.hpp>
#include <longspan/tile/read_ahead.hpp>
#include <longspan/tile/shape.hpp>
#include <longspan/tile/transpose.hpp>

LONGSPAN_NAMESPACE_BEGIN
namespace detail {

// The keys of one key head for more query rows than streamed_keys takes, up to most_decode_rows. The product is transposed: the queries
// stand in the lanes, and a key's words are broadcast from where they lie, so that nothing of the keys is packed. Of a panel only the
// scores are transposed, an eighth of what its keys would be at 128 channels and 16 rows. With 16 rows the product runs at 85 % of the
// peak, with 32 at all of it, where a packed panel took half again as long to pack as to multiply (Zen 5).
template <class Words, class Mechanism, head_rows Head>
class broadcast_keys final : public key_operand<Words> {
 public:
  using T = typename Words::compute;
  using shape = tile_shape<T>;

  // What it works in: queries and scores of whole batches of rows, and the numbers of a panel of keys, each key padded to whole batches.
  struct room {
    T *queries, *scores, *scratch;
  };
  broadcast_keys(const Mechanism& mechanism, index_t key_head, const Head& keys, const room& own, read_ahead& ahead)
      : mechanism_(mechanism), key_head_(key_head), keys_(keys), own_(own), ahead_(ahead) {}

  // As far ahead as a panel (asked_ahead in tile/shape.hpp).
  static constexpr index_t keys_at_once = shape::panel;

  // Query rows are read in whole batches: what stands behind the last has no part in any score.
  [[gnu::flatten]] void multiply(const T* query, index_t query_stride, index_t rows, interval keys, T* to,
                                 index_t stride) const override {
    const index_t columns = round_up(rows, lanes), depth = padded_words_for<Words>(keys_.channels);
    if (query != transposed_)
      for (index_t r = 0; r < rows; r += lanes)
        for (index_t c = 0; c < depth; c += lanes)
          transpose(query + r * query_stride + c, query_stride, own_.queries + c * columns + r, columns, lanes);
    transposed_ = query;
    const bool as_they_lie = Mechanism::keeps_keys && is_words<Words>(keys_);
    const auto some = [&](const T* from, index_t from_stride, interval of, auto& ahead) {
      multiply_broadcast(
          product<T, Words>{from, from_stride, own_.queries, columns, own_.scores + of.first * columns, columns, depth},
          of.size(), columns, ahead);
    };
    index_t reached = 0;
    for_each_lying_together(keys_, keys, [&](interval stretch) {
      stretch = {reached, stretch.last - keys.first};
      const index_t last = as_they_lie ? std::min(stretch.last, keys_.tokens - keys.first) : 0;
      const index_t in_place = std::max(round_down(last - reached, lanes), index_t(0));
      if (in_place > 0)
        some(reinterpret_cast<const T*>(keys_.row(keys.first + reached)), keys_.token_stride / Words::per_word,
             {reached, reached + in_place}, ahead_);
      // Whole batches that do not lie together, in a stretch or across its end.
      const index_t rest = round_up(std::max(stretch.last - reached - in_place, index_t(0)), lanes);
      reached += in_place;
      if (rest == 0) return;
      prepare_keys_of_head<Words>(mechanism_, key_head_, keys_, keys.first + reached, rest, own_.scratch, query_stride, ahead_);
      nothing_ahead nothing;
      some(own_.scratch, query_stride, {reached, reached + rest}, nothing);
      reached += rest;
    });
    for (index_t r = 0; r < rows; r += lanes)
      for (index_t j = 0; j < keys.size(); j += lanes)
        transpose(own_.scores + j * columns + r, columns, to + r * stride + j, stride, rows - r);
  }

 private:
  static constexpr index_t lanes = shape::lanes;

  const Mechanism& mechanism_;
  index_t key_head_;
  const Head& keys_;
  room own_;
  read_ahead& ahead_;
  mutable const T* transposed_ = nullptr;  // the queries that stand in the lanes
};

}  // namespace detail
LONGSPAN_NAMESPACE_END
